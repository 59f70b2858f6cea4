"""Who holds the locks of package managers, which are fcntl(2)'s on files."""

from __future__ import annotations

import contextlib
import fcntl
import os
import struct
from typing import Optional

DPKG = ("/var/lib/dpkg/lock-frontend", "/var/lib/dpkg/lock", "/var/lib/apt/lists/lock", "/var/cache/apt/archives/lock")
#: rpm's, and dnf 5's.
RPM = ("/usr/lib/sysimage/rpm/.rpm.lock", "/var/lib/rpm/.rpm.lock", "/run/dnf/rpmtransaction.lock")
#: Files in which dnf 4 says who installs, and who downloads for that.
PID_FILES = ("/var/lib/dnf/rpmdb_lock.pid", "/var/cache/dnf/download_lock.pid")
#: struct flock on 64-bit processors: type, whence, start, length, process.
_FLOCK = "hhqqi4x"


def holder(path: str) -> Optional[int]:
    """Return the id of the process that locks a file; None: nobody. Changes nothing."""
    with contextlib.suppress(OSError):
        with open(path, "rb") as stream:
            asked = struct.pack(_FLOCK, fcntl.F_WRLCK, os.SEEK_SET, 0, 0, 0)
            kind, _, _, _, process = struct.unpack(_FLOCK, fcntl.fcntl(stream, fcntl.F_GETLK, asked))
        if kind != fcntl.F_UNLCK:
            return int(process)
    return None
