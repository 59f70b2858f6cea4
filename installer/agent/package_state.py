"""Whether this host's package manager is in order, and who else is at work with it. Changes nothing."""

from __future__ import annotations

import os
from typing import Any, Dict, Optional, Sequence

from installer.agent import installed
from installer.agent.host import Host
from installer.resources import dnf_history, locks
from installer.resources.texts import text_of


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
        "interrupted": _is_dpkg_interrupted() or dnf_history.ended_badly(),
        "holder": next((found for found in (*map(holder, (*locks.DPKG, *locks.RPM)), *map(noted, locks.PID_FILES)) if found), None),
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
    pid = locks.holder(path)
    return None if pid is None else {"pid": pid, "program": program(text_of(f"/proc/{pid}/cmdline").split("\0"))}


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


def _is_dpkg_interrupted() -> bool:
    folder = "/var/lib/dpkg/updates"
    return os.path.isdir(folder) and any(name.isdigit() for name in os.listdir(folder))
