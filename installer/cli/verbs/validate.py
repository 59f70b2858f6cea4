"""`pystack validate`: what is wrong with an answer file."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from installer import exit_codes
from installer.cli.given import need_answer_file, settings
from installer.cli.options import verb

STYLES = {"error": "red", "warning": "yellow", "notice": "dim"}


@verb
def validate(_context: Any, answer_file: str = "", set_: Sequence[str] | None = None) -> int:
    """Say what is wrong with an answer file: all of it, on your own lines

    Looks at the file alone, not at any host.

    Example:
      pystack validate --answer-file cloud.txt

    Exit codes: 0 it can be installed, 2 it cannot
    """
    path, overrides = need_answer_file(answer_file), settings(set_)
    from installer.answers import check
    from installer.cli.output import Screen
    from installer.report.words import count

    problems = check(path, overrides)
    screen = Screen()
    for problem in problems:
        first, *others = problem.render().splitlines()
        screen.line(first, STYLES[problem.severity.value])
        for line in others:
            screen.line(line)
    numbers = {kind: sum(problem.severity.value == kind for problem in problems) for kind in STYLES}
    told = ", ".join(count(number, kind) for kind, number in numbers.items() if number)
    if numbers["error"]:
        screen.line(f"{path} cannot be used: {told}", "bold red")
        return exit_codes.USAGE
    screen.line(f"{path} is valid{': ' if told else ''}{told}", "bold green")
    return exit_codes.CONVERGED
