"""The journal of each run: what was asked for, every event, how it ended. Kept in the operator's home, private."""

from __future__ import annotations

import fcntl
import json
import os
import secrets as random
import shutil
import threading
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from installer import exit_codes
from installer.errors import PystackError, UsageError
from installer.masking import Masking
from installer.outcome import Event

KEPT = 100
SUMMARY, EVENTS, FAILURE, REPORT, GUARD = "summary.json", "events.jsonl", "failure.txt", "report.html", "running"


class JournalNotWritable(PystackError):
    """The folder for the journals of runs cannot be written."""

    exit_code = exit_codes.USAGE


def base() -> Path:
    """Return the folder of all runs: below XDG_STATE_HOME if that is set, else below ~/.local/state."""
    given = os.environ.get("XDG_STATE_HOME", "")
    # The specification wants relative paths ignored (XDG Base Directory Specification, "Environment variables").
    state = Path(given) if given.startswith("/") else Path.home() / ".local" / "state"
    return state / "pystack" / "runs"


class Journal:
    """The journal of a run that is going on. ``begin`` makes one; ``take`` is a listener; ``end`` closes it."""

    def __init__(self, folder: Path, summary: dict[str, Any], masking: Masking) -> None:
        self.folder = folder
        self._summary = summary
        self._masking = masking
        self._lock = threading.Lock()
        # The kernel lets go of this lock when the process is gone, however that came about.
        self._guard = os.open(folder / GUARD, os.O_WRONLY | os.O_CREAT, 0o600)
        fcntl.flock(self._guard, fcntl.LOCK_EX)
        self._write_summary()
        self._events = open(_private(folder / EVENTS), "a", encoding="utf-8")  # noqa: SIM115 - closed by end()

    @classmethod
    def begin(
        cls, verb: str, argv: Sequence[str], *, secrets: Iterable[str] = (), answer_file: str = "", digest: str = ""
    ) -> Journal:
        """Begin the journal of a run, and remove the oldest if there are too many.

        Args:
            verb: the command, such as ``install``.
            argv: the command line, without secrets.
            secrets: texts that must not be written down wherever they turn up.
            answer_file: its path, if the run has one.
            digest: SHA-256 of what it asks for.

        Raises:
            JournalNotWritable: the folder cannot be made or written.
        """
        now = datetime.now(UTC)
        name = f"{now.astimezone():%Y%m%d-%H%M%S}-{verb}-{random.token_hex(2)}"
        folder = base() / name
        summary = {
            "run": name,
            "verb": verb,
            "argv": list(argv),
            "answer_file": answer_file,
            "digest": digest,
            "begin": now.isoformat(timespec="microseconds"),
            "end": None,
            "exit_code": None,
        }
        try:
            _make_private(folder)
            journal = cls(folder, summary, Masking(secrets))
        except OSError as problem:
            raise JournalNotWritable(
                f"the journal of this run cannot be written: {problem.strerror}: {problem.filename or folder}",
                "make that folder writable, or set XDG_STATE_HOME to one that is",
            ) from problem
        _remove_oldest()
        return journal

    @property
    def run(self) -> str:
        """The name of the run."""
        return self.folder.name

    def take(self, event: Event) -> None:
        """Write down an event, with the time; from any thread."""
        line = {"at": datetime.now(UTC).isoformat(timespec="milliseconds"), **self._masking.data(event)}
        with self._lock:
            if not self._events.closed:
                self._events.write(json.dumps(line, ensure_ascii=True) + "\n")
                self._events.flush()

    def write_failure(self, text: str) -> Path:
        """Keep all that is known of a failure, and return the file."""
        path = self.folder / FAILURE
        with open(_private(path), "a", encoding="utf-8", errors="backslashreplace") as file:
            file.write(self._masking.text(text).rstrip() + "\n")
        return path

    def write_report(self, page: str) -> None:
        """Keep the report of this run for a browser."""
        with open(_private(self.folder / REPORT), "w", encoding="utf-8", errors="backslashreplace") as file:
            file.write(page)

    def mask(self, text: str) -> str:
        """Return a text with the secrets of this run masked."""
        return self._masking.text(text)

    def end(self, exit_code: int, totals: Mapping[str, Any] | None = None) -> None:
        """Write down how the run ended; the first call counts.

        Args:
            exit_code: of the command.
            totals: what came of it: ``changed``, ``unchanged``, ``seconds``, ``roles`` and so on, JSON-able.
        """
        if self._summary["end"] is not None:
            return
        self._summary["end"] = datetime.now(UTC).isoformat(timespec="milliseconds")
        self._summary["exit_code"] = exit_code
        self._summary["totals"] = self._masking.data(dict(totals or {}))
        with self._lock:
            self._events.close()
        self._write_summary()
        os.close(self._guard)

    def _write_summary(self) -> None:
        fresh = self.folder / f".{SUMMARY}"
        fresh.unlink(missing_ok=True)
        with open(_private(fresh), "a", encoding="utf-8") as file:
            json.dump(self._masking.data(self._summary), file, indent=1)
        fresh.replace(self.folder / SUMMARY)


@dataclass(frozen=True)
class Run:
    """A run as its journal tells it.

    Args:
        folder: its journal.
        verb: the command.
        argv: the command line, secrets masked.
        begin: when it began.
        seconds: how long it took; None when that is not known.
        exit_code: how it ended; None while it runs, and when it was killed.
        running: whether its process lives.
        answer_file: path, or empty.
        totals: what came of it.
        digest: of what its answer file asked for, secrets apart.
    """

    folder: Path
    verb: str
    argv: Sequence[str]
    begin: datetime
    seconds: float | None
    exit_code: int | None
    running: bool
    answer_file: str = ""
    totals: Mapping[str, Any] = field(default_factory=dict)
    digest: str = ""

    @property
    def name(self) -> str:
        """The name of the run."""
        return self.folder.name

    @property
    def outcome(self) -> str:
        """How it ended, in a word or two."""
        if self.exit_code is None:
            return "running" if self.running else "interrupted"
        return exit_codes.word(self.exit_code)

    def failure(self) -> str:
        """Return all that is known of its failure; empty if there was none."""
        path = self.folder / FAILURE
        return path.read_text(encoding="utf-8", errors="replace") if path.exists() else ""

    def events(self) -> list[Event]:
        """Return its events; a last line that was cut short is left out."""
        path = self.folder / EVENTS
        found = []
        for line in path.read_text(encoding="utf-8", errors="replace").splitlines() if path.exists() else ():
            try:
                found.append(json.loads(line))
            except ValueError:
                continue
        return found


def runs() -> list[Run]:
    """Return all runs that have a journal, the last one first."""
    found = [_read(folder) for folder in _folders()]
    return sorted((run for run in found if run), key=lambda run: (run.begin, run.name), reverse=True)


def last_verified(digest: str, current: str) -> Run | None:
    """Return the run that found the cloud in order, if nothing has come of any run since but that it still is.

    Args:
        digest: of what the answer file asks for.
        current: name of the run in hand.
    """
    for run in runs():
        if run.name != current and run.verb in ("install", "verify"):
            return run if run.exit_code == exit_codes.CONVERGED and run.digest == digest else None
    return None


def find(name: str) -> Run:
    """Return a run by its name, by the end of its name, or the last one for ``last``.

    Raises:
        UsageError: there is no such run, or more than one.
    """
    known = runs()
    chosen = known[:1] if name == "last" else [run for run in known if run.name == name or run.name.endswith(name)]
    if len(chosen) == 1:
        return chosen[0]
    what = "several runs are" if chosen else "there is no run"
    names = ", ".join(run.name for run in (chosen or known)[:5]) or "none yet"
    raise UsageError(f"{what} called {name!r}", f"pystack status lists the runs; the last ones: {names}")


def _folders() -> list[Path]:
    return [folder for folder in base().iterdir() if folder.is_dir()] if base().is_dir() else []


def _read(folder: Path) -> Run | None:
    try:
        data = json.loads((folder / SUMMARY).read_text(encoding="utf-8"))
        begin = datetime.fromisoformat(data["begin"])
        seconds = (datetime.fromisoformat(data["end"]) - begin).total_seconds() if data["end"] else None
        return Run(
            folder, data["verb"], data["argv"], begin, seconds, data["exit_code"], _is_running(folder),
            data["answer_file"], data.get("totals", {}), data.get("digest", ""),
        )  # fmt: skip
    except (OSError, ValueError, KeyError, TypeError):
        return None


def _is_running(folder: Path) -> bool:
    try:
        guard = os.open(folder / GUARD, os.O_RDONLY)
    except OSError:
        return False
    try:
        fcntl.flock(guard, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return True
    finally:
        os.close(guard)
    return False


def _remove_oldest() -> None:
    for run in runs()[KEPT:]:
        if not run.running:
            shutil.rmtree(run.folder, ignore_errors=True)


def _make_private(folder: Path) -> None:
    folder.parent.mkdir(parents=True, exist_ok=True)
    folder.parent.chmod(0o700)
    folder.mkdir(mode=0o700)


def _private(path: Path) -> int:
    """Return a descriptor of a file that only its owner reads, made if need be."""
    return os.open(path, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
