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
    those of them that must be installed anew; ``interrupted``: whether dpkg was cut off; ``last``: how dnf's last
    transaction ended if that was not well: ``badly``, ``begun``, or ``own`` for one of pystack's that was begun;
    ``holder``: who is at work with packages now, or None: see there.
    """
    unfinished, damaged = parse_unfinished(installed.packages(host))
    return {
        "problem": installed.problem(host),
        "twice": installed.twice(host),
        "unfinished": unfinished,
        "damaged": damaged,
        "interrupted": _is_dpkg_interrupted(),
        "last": _last(),
        "holder": holder((*locks.DPKG, *locks.RPM), locks.PID_FILES),
    }


def _last() -> str:
    found = dnf_history.not_well()
    if found is None:
        return ""
    return "own" if found.state == dnf_history.BEGUN and found.own else found.state


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


def holder(locked: Sequence[str], naming: Sequence[str]) -> Optional[Dict[str, Any]]:
    """Return who is at work with packages: ``pid``, ``program`` and, if only that says so, ``file``; None: nobody.

    Args:
        locked: files that are locked meanwhile.
        naming: files that name a process meanwhile.
    """
    found = locks.at_work(locked, naming)
    if found is None:
        return None
    words = text_of(f"/proc/{found.process}/cmdline").split("\0")
    return {"pid": found.process, "program": program(words), "file": found.file}


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
