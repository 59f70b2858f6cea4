"""A host whose commands answer from a table."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from installer.agent.host import CommandFailed, Completed, Host


class FakeHost(Host):
    """Answers commands by how their argument list begins; the longest beginning that fits wins.

    Args:
        answers: command line, joined by blanks, or its beginning -> output, or (exit code, output, error text).
    """

    def __init__(self, answers: dict[str, Any] | None = None) -> None:
        self.told: list[str] = []
        super().__init__(progress=self.told.append)
        self.answers = answers or {}
        self.ran: list[str] = []
        self.given: list[Any] = []

    def run(self, argv: Sequence[str], *, expect: Any = (0,), **options: Any) -> Completed:  # type: ignore[override]
        line = " ".join(argv)
        self.ran.append(line)
        self.given.append(options)
        fitting = [start for start in self.answers if line.startswith(start)]
        if not fitting:
            raise AssertionError(f"this fake host has no answer to: {line}")
        answer = self.answers[max(fitting, key=len)]
        code, out, err = (0, answer, "") if isinstance(answer, str) else answer
        completed = Completed(tuple(argv), code, out, err)
        if expect is not None and code not in expect:
            raise CommandFailed(completed)
        return completed
