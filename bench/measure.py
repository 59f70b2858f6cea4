"""Runs a command and says what it took: wall time, processor time and memory of it and of all that it started."""

from __future__ import annotations

import os
import re
import subprocess
import tempfile
import threading
import time
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

#: Seconds between two looks at the memory of the processes: a look takes some milliseconds itself.
_EVERY = 0.5
#: Bytecode is kept as on any operator's machine, whatever is set where measurements are made.
_ENVIRONMENT = {key: value for key, value in os.environ.items() if not key.startswith("PYTHON")}


@dataclass(frozen=True)
class Taken:
    """What a command took.

    Args:
        seconds: wall time, interpreter start included.
        cpu_seconds: user and system time of it and its children; of those it waited for, as getrusage(2) has it.
        memory_mib: peak: the larger of one process's resident size and all processes' proportional sizes, sampled.
        output: both streams.
    """

    seconds: float
    cpu_seconds: float
    memory_mib: float
    output: str

    def figures(self) -> dict[str, float]:
        """Return the numbers alone."""
        return {key: value for key, value in asdict(self).items() if key != "output"}


def measure(
    argv: Sequence[str | Path], env: Mapping[str, str] | None = None, expect: Sequence[int] = (0,), watch: bool = True
) -> Taken:
    """Run a command to its end.

    Args:
        argv: program and arguments.
        env: additions to the environment.
        expect: exit codes that are fine.
        watch: look at the memory of its children meanwhile.

    Raises:
        SystemExit: another exit code; shows the end of what it said.
    """
    with tempfile.TemporaryFile() as output:
        begun = time.perf_counter()
        process = subprocess.Popen(
            [str(word) for word in argv],
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=subprocess.STDOUT,
            env={**_ENVIRONMENT, **(env or {})},
        )
        sampler = _Sampler(process.pid) if watch else None
        _, status, usage = os.wait4(process.pid, 0)
        seconds = time.perf_counter() - begun
        process.returncode = os.waitstatus_to_exitcode(status)
        sampled = sampler.end() if sampler else 0.0
        output.seek(0)
        text = output.read().decode("utf-8", "replace")
    if process.returncode not in expect:
        raise SystemExit(f"{argv[0]} ended with code {process.returncode}:\n{text[-4000:]}")
    return Taken(seconds, usage.ru_utime + usage.ru_stime, max(sampled, usage.ru_maxrss / 1024), text)


def best(taken: Sequence[Taken]) -> Taken:
    """Return the one of several runs that was quickest: what else went on on the machine only adds."""
    return min(taken, key=lambda one: one.seconds)


class _Sampler:
    def __init__(self, pid: int) -> None:
        self._pid = pid
        self._peak = 0.0
        self._over = threading.Event()
        self._thread = threading.Thread(target=self._run, daemon=True)
        self._thread.start()

    def end(self) -> float:
        """Stop, and return the peak in MiB."""
        self._over.set()
        self._thread.join()
        return self._peak

    def _run(self) -> None:
        while not self._over.wait(_EVERY):
            self._peak = max(self._peak, sum(_proportional_mib(pid) for pid in _family(self._pid)))


def _family(pid: int) -> list[int]:
    """Return a process and all below it."""
    parents: dict[int, list[int]] = {}
    for folder in Path("/proc").glob("[0-9]*"):
        try:
            parent = int((folder / "stat").read_text().rpartition(")")[2].split()[1])
        except OSError:
            continue
        parents.setdefault(parent, []).append(int(folder.name))
    found, left = [], [pid]
    while left:
        found.append(left.pop())
        left += parents.get(found[-1], [])
    return found


def _proportional_mib(pid: int) -> float:
    try:
        text = Path(f"/proc/{pid}/smaps_rollup").read_text()
    except OSError:
        return 0.0
    shown = re.search(r"^Pss:\s+(\d+) kB", text, re.MULTILINE)
    return int(shown.group(1)) / 1024 if shown else 0.0
