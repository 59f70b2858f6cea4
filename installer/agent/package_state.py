"""Whether this host's package manager is in order, and who else is at work with it. Changes nothing."""

from __future__ import annotations

import contextlib
import fcntl
import os
import struct
from typing import Any, Dict, Optional, Sequence

from installer.agent import installed
from installer.agent.host import Host
from installer.resources.texts import text_of

#: Files that package managers lock, with fcntl(2), while they work: dpkg's and apt's, rpm's, and dnf 5's.
LOCKS = (
    *("/var/lib/dpkg/lock-frontend", "/var/lib/dpkg/lock", "/var/lib/apt/lists/lock", "/var/cache/apt/archives/lock"),
    *("/usr/lib/sysimage/rpm/.rpm.lock", "/var/lib/rpm/.rpm.lock", "/run/dnf/rpmtransaction.lock"),
)
#: Files in which dnf 4 says who installs, and who downloads for that.
PID_FILES = ("/var/lib/dnf/rpmdb_lock.pid", "/var/cache/dnf/download_lock.pid")
#: struct flock on 64-bit processors: type, whence, start, length, process.
_FLOCK = "hhqqi4x"
#: dnf's records of its transactions, and in which state one is that ended well.
HISTORIES = (
    ("/var/lib/dnf/history.sqlite", "SELECT id, state FROM trans ORDER BY id DESC LIMIT 1", 1),
    (
        "/usr/lib/sysimage/libdnf5/transaction_history.sqlite",
        'SELECT trans.id, trans_state.name FROM "trans" JOIN trans_state ON trans.state_id = trans_state.id '
        "ORDER BY trans.id DESC LIMIT 1",
        "Ok",
    ),
)


def package_state(host: Host) -> Dict[str, Any]:
    """Return what was found.

    ``problem``: why the package manager cannot read its own records, or nothing; ``twice``: names of RPMs that are
    there in several versions; ``unfinished``: names of packages that are neither installed nor absent; ``damaged``:
    those of them that must be installed anew; ``interrupted``: whether dpkg or dnf was cut off; ``holder``: who is at
    work with packages now, or None: ``program`` and ``pid``.
    """
    unfinished, damaged = parse_unfinished(installed.packages(host))
    return {
        "problem": installed.problem(host),
        "twice": installed.twice(host),
        "unfinished": unfinished,
        "damaged": damaged,
        "interrupted": _is_dpkg_interrupted() or any(is_cut_off(*history) for history in HISTORIES),
        "holder": next((found for found in (*map(holder, LOCKS), *map(noted, PID_FILES)) if found), None),
    }


def parse_unfinished(lines: Sequence[str]) -> Any:
    """Return the names of packages that are neither installed nor absent, and of those that need to be installed anew.

    Args:
        lines: dpkg-query's ``Status-Abbrev`` and name: wanted, state, and R for an error (dpkg-query(1)).
    """
    unfinished, damaged = [], []
    for line in lines:
        status, name = line[:3], line[3:].strip()
        if status[1:2] in ("H", "U", "F", "W", "t", "T") or status[2:3] == "R":
            unfinished.append(name)
        if status[1:2] == "H" or status[2:3] == "R":
            damaged.append(name)
    return sorted(set(unfinished)), sorted(set(damaged))


def holder(path: str) -> Optional[Dict[str, Any]]:
    """Return who locks a file: ``pid`` and ``program``; None: nobody."""
    with contextlib.suppress(OSError):
        with open(path, "rb") as stream:
            asked = struct.pack(_FLOCK, fcntl.F_WRLCK, os.SEEK_SET, 0, 0, 0)
            kind, _, _, _, pid = struct.unpack(_FLOCK, fcntl.fcntl(stream, fcntl.F_GETLK, asked))
        if kind != fcntl.F_UNLCK:
            return {"pid": pid, "program": program(text_of(f"/proc/{pid}/cmdline").split("\0"))}
    return None


def noted(path: str) -> Optional[Dict[str, Any]]:
    """Return who is named in a file of dnf 4's, as ``holder`` does; None: nobody, or one that is gone."""
    pid = text_of(path).strip()
    words = text_of(f"/proc/{pid}/cmdline").split("\0") if pid.isdigit() else []
    return {"pid": int(pid), "program": program(words)} if any(words) else None


def program(words: Sequence[str]) -> str:
    """Return what an operator calls a program: of an interpreter the script.

    Args:
        words: its command line.
    """
    own = os.path.basename(words[0] if words else "") or "?"
    if own.startswith(("python", "perl", "sh", "bash", "dash")) and len(words) > 1:
        script = next((word for word in words[1:] if not word.startswith("-")), "")
        return os.path.basename(script) if script.startswith("/") else own
    return own


def is_cut_off(path: str, query: str, well: Any) -> bool:
    """Tell whether dnf's last transaction did not end well.

    Args:
        path: its records.
        query: number and state of the last one.
        well: the state of one that ended well.
    """
    if not os.path.exists(path):
        return False
    # Slow to load, and not in every small Python.
    import sqlite3

    try:
        # Read as it is: not even a lock or a journal is made.
        with contextlib.closing(sqlite3.connect(f"file:{path}?mode=ro&immutable=1", uri=True)) as records:
            row = records.execute(query).fetchone()
    except sqlite3.Error:
        return False
    return bool(row) and row[1] != well


def _is_dpkg_interrupted() -> bool:
    folder = "/var/lib/dpkg/updates"
    return os.path.isdir(folder) and any(name.isdigit() for name in os.listdir(folder))
