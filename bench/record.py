"""What a measurement leaves behind: a table on the terminal and a YAML file in results/ that says where it was made."""

from __future__ import annotations

import os
import platform
import subprocess
import sys
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import yaml
from rich.console import Console
from rich.table import Table

ROOT = Path(__file__).resolve().parent.parent
RESULTS = Path(__file__).resolve().parent / "results"
#: Where other tools, keys and scratch directories go; may be removed at any time.
SCRATCH = Path("/var/tmp/pystack-bench")


class Record:
    """One measurement in the making. Knows when and where it began; ``write`` keeps it.

    Args:
        name: of the measurement, and of its file.
    """

    def __init__(self, name: str) -> None:
        self._name = name
        self._begin = {
            "date": datetime.now(UTC).isoformat(timespec="seconds"),
            "commit": _commit(),
            "machine": machine(),
        }

    def write(self, found: Mapping[str, Any]) -> Path:
        """Write the results and return the file.

        Args:
            found: YAML-able; numbers are rounded to three decimals.
        """
        RESULTS.mkdir(exist_ok=True)
        path = RESULTS / f"{self._name}.yaml"
        whole = {"measurement": self._name, **self._begin, "load_at_end": _load(), **_rounded(found)}
        path.write_text(yaml.safe_dump(whole, sort_keys=False, allow_unicode=True, width=110))
        tell(f"kept in bench/results/{path.name}")
        return path


def tell(text: str) -> None:
    """Say on standard error what is going on."""
    print(text, file=sys.stderr, flush=True)


def show(title: str, columns: Sequence[str], rows: Sequence[Sequence[Any]]) -> None:
    """Print a table; numbers stand to the right."""
    table = Table(title=title, title_justify="left")
    for number, column in enumerate(columns):
        right = any(isinstance(row[number], (int, float)) for row in rows)
        table.add_column(column, justify="right" if right else "left")
    for row in rows:
        table.add_row(*(f"{value:.2f}" if isinstance(value, float) else str(value) for value in row))
    Console(width=110).print(table)


def machine() -> dict[str, Any]:
    """Return what of this machine matters to a figure."""
    memory = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") >> 20
    return {
        "cores": len(os.sched_getaffinity(0)),
        "memory_mib": memory,
        "processor": _processor(),
        "kernel": platform.release(),
        "python": platform.python_version(),
        "load": _load(),
    }


def _load() -> list[float]:
    return [round(value, 2) for value in os.getloadavg()]


def _processor() -> str:
    for line in Path("/proc/cpuinfo").read_text().splitlines():
        if line.startswith("model name"):
            return line.partition(":")[2].strip()
    return platform.machine()


def _commit() -> str:
    def git(*words: str) -> str:
        return subprocess.run(["git", *words], cwd=ROOT, capture_output=True, text=True, check=False).stdout.strip()

    changed = git("status", "--porcelain", "--untracked-files=no", "--", "installer", "roles", "templates", "answers")
    return git("rev-parse", "--short=12", "HEAD") + (" with changes not committed" if changed else "")


def _rounded(value: Any) -> Any:
    if isinstance(value, float):
        return round(value, 3)
    if isinstance(value, Mapping):
        return {key: _rounded(item) for key, item in value.items()}
    if isinstance(value, (list, tuple)):
        return [_rounded(item) for item in value]
    return value
