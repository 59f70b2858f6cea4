"""Results of tests as lines of a file that is only added to: one JSON object each, the newest last."""

from __future__ import annotations

import fcntl
import json
import os
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from enum import Enum
from pathlib import Path
from typing import Any

from tests.matrix.declared import CLOUDS, FEATURES, HERE, unknown

FILE = HERE / "results.jsonl"
#: What is measured of an installation.
FIGURES = ("fresh_seconds", "rerun_seconds", "resources", "load")
KERNELS = ("", "shared", "own", "both")


class Kind(Enum):
    """What stood for a platform, the best first.

    ``machine`` is a real machine, ``real`` a lab host made of the distribution's own packages, ``stand-in`` a lab host
    that has the platform's shape and another distribution's programs.
    """

    MACHINE = "machine"
    REAL = "real"
    STAND_IN = "stand-in"

    @property
    def title(self) -> str:
        """What the document calls it."""
        return {"machine": "real machine", "real": "lab real", "stand-in": "lab stand-in"}[self.value]


@dataclass(frozen=True)
class Result:
    """What came of one test, or of several that were run together, on hosts of one platform and kind.

    Args:
        date: ISO 8601; with the time, in UTC, where it is known.
        commit: short; ``+changes`` at its end where the checkout had changes of its own.
        test: pytest's name of the test, or the command.
        shows: features.
        passed: whether it did all that it had to.
        platform: such as ``el-9``; empty for a test that needs no host.
        kind: what stood for the platform; None for a test that needs no host.
        kernel: ``shared`` with this machine, ``own``, or ``both`` where the hosts differ.
        seconds: the test's; 0 where nobody measured.
        measured: cloud to figures (see `FIGURES`).
        session: what results of one session of tests have in common; empty where it was not kept.
        origin: where a result comes from that the test itself did not record: a run on real machines, or a document.
    """

    date: str
    commit: str
    test: str
    shows: tuple[str, ...]
    passed: bool = True
    platform: str = ""
    kind: Kind | None = None
    kernel: str = ""
    seconds: float = 0.0
    measured: Mapping[str, Mapping[str, float]] = field(default_factory=dict)
    session: str = ""
    origin: str = ""

    @property
    def written_down(self) -> bool:
        """Whether somebody copied it from a document."""
        return self.origin.startswith("docs/")

    def line(self) -> str:
        """Return the result as a line of the file, without what it does not have."""
        whole = {
            "date": self.date,
            "commit": self.commit,
            "test": self.test,
            "shows": list(self.shows),
            "platform": self.platform,
            "kind": self.kind.value if self.kind else "",
            "kernel": self.kernel,
            "outcome": "passed" if self.passed else "failed",
            "seconds": round(self.seconds, 1),
            "measured": {cloud: dict(figures) for cloud, figures in self.measured.items()},
            "session": self.session,
            "from": self.origin,
        }
        return json.dumps({key: value for key, value in whole.items() if value}, ensure_ascii=False) + "\n"


def parse(line: str) -> Result:
    """Return the result that a line holds.

    Raises:
        ValueError: with all that is wrong with it.
    """
    found: dict[str, Any] = json.loads(line)
    if not isinstance(found, dict):
        raise ValueError("it is no JSON object")
    measured = found.get("measured", {})
    figures = [name for values in measured.values() for name in values]
    wrong = [f"'{key}' is missing" for key in ("date", "commit", "test", "outcome") if not found.get(key)]
    wrong += unknown(found.get("shows", []), FEATURES) + unknown(measured, CLOUDS) + unknown(figures, FIGURES)
    wrong += unknown([found.get("outcome", "passed")], ("passed", "failed"))
    wrong += unknown([found.get("kind", "")], ["", *(kind.value for kind in Kind)])
    wrong += unknown([found.get("kernel", "")], KERNELS)
    if bool(found.get("platform")) != bool(found.get("kind")):
        wrong.append("'platform' and 'kind' go together")
    if wrong:
        raise ValueError("; ".join(wrong))
    return Result(
        date=found["date"],
        commit=found["commit"],
        test=found["test"],
        shows=tuple(found.get("shows", [])),
        passed=found["outcome"] == "passed",
        platform=found.get("platform", ""),
        kind=Kind(found["kind"]) if found.get("kind") else None,
        kernel=found.get("kernel", ""),
        seconds=found.get("seconds", 0.0),
        measured=measured,
        session=found.get("session", ""),
        origin=found.get("from", ""),
    )


def read(path: Path = FILE) -> list[Result]:
    """Return all results, the oldest first.

    Raises:
        ValueError: with every line that cannot be read, and why.
    """
    results, wrong = [], []
    lines = path.read_text(encoding="utf-8").splitlines() if path.exists() else []
    for number, line in enumerate(lines, 1):
        try:
            results.append(parse(line))
        except ValueError as problem:
            wrong.append(f"{path.name}, line {number}: {problem}")
    if wrong:
        raise ValueError("\n".join(wrong))
    # Files of several clones are merged line by line: the order of lines tells less than the dates.
    return sorted(results, key=lambda result: result.date)


def append(results: Iterable[Result], path: Path = FILE) -> None:
    """Add results to the file, as whole lines also where several runs add at the same time."""
    data = "".join(result.line() for result in results).encode()
    if not data:
        return
    with path.open("a+b") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        size = os.fstat(file.fileno()).st_size
        # A writer that was killed may have left half a line, which is not to swallow this one.
        if size and os.pread(file.fileno(), 1, size - 1) != b"\n":
            data = b"\n" + data
        file.write(data)
        file.flush()
