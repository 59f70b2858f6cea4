"""Who is at work with packages: locks of package managers, which are fcntl(2)'s on files, and files that name one."""

from __future__ import annotations

import contextlib
import fcntl
import os
import struct
from typing import NamedTuple, Optional, Sequence

from installer.resources.texts import text_of

DPKG = ("/var/lib/dpkg/lock-frontend", "/var/lib/dpkg/lock", "/var/lib/apt/lists/lock", "/var/cache/apt/archives/lock")
#: rpm's, and dnf 5's.
RPM = ("/usr/lib/sysimage/rpm/.rpm.lock", "/var/lib/rpm/.rpm.lock", "/run/dnf/rpmtransaction.lock")
#: Files in which dnf 4 says who installs, and who downloads for that.
PID_FILES = ("/var/lib/dnf/rpmdb_lock.pid", "/var/cache/dnf/download_lock.pid")
#: struct flock on 64-bit processors: type, whence, start, length, process.
_FLOCK = "hhqqi4x"


class AtWork(NamedTuple):
    """One at work with packages.

    Args:
        process: its id; 0: it is in another container.
        file: the one that names it; empty: it holds a lock, and so is at work for sure.
    """

    process: int
    file: str = ""


def at_work(locked: Sequence[str], naming: Sequence[str]) -> Optional[AtWork]:
    """Return who is at work with packages; None: nobody. Changes nothing.

    Args:
        locked: files that are locked meanwhile.
        naming: files that name a process meanwhile.
    """
    for path in locked:
        process = holder(path)
        if process is not None:
            return AtWork(process)
    for path in naming:
        process = noted(path)
        if process is not None:
            return AtWork(process, path)
    return None


def holder(path: str) -> Optional[int]:
    """Return the id of the process that locks a file, 0 for one in another container; None: nobody. Changes nothing."""
    with contextlib.suppress(OSError):
        with open(path, "rb") as stream:
            asked = struct.pack(_FLOCK, fcntl.F_WRLCK, os.SEEK_SET, 0, 0, 0)
            kind, _, _, _, process = struct.unpack(_FLOCK, fcntl.fcntl(stream, fcntl.F_GETLK, asked))
        if kind != fcntl.F_UNLCK:
            return int(process)
    return None


def noted(path: str) -> Optional[int]:
    """Return the id of the process that a file names, as dnf 4 believes it; None: nobody, or one that is gone.

    After a power cut the file is still there, and its number may be that of a process that knows nothing of packages;
    dnf waits for that one, too.
    """
    text = text_of(path).strip()
    return int(text) if text.isdigit() and os.path.exists(f"/proc/{text}/cmdline") else None


def file_naming(process: int) -> str:
    """Return the file in which dnf 4 names a process as the one at work; empty: none does."""
    return next((path for path in PID_FILES if noted(path) == process), "")
