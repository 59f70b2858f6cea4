"""Temporary files and folders that tell whose they are, so that those of a killed run can be taken away."""

from __future__ import annotations

import contextlib
import os
import pwd
import re
import shutil
import stat


def own(prefix: str) -> str:
    """Return a prefix for tempfile(3) with this process's number in it."""
    return f"{prefix}{os.getpid()}."


def sweep(folder: str, prefix: str, suffix: str = "", owner: str = "", shared: bool = False) -> None:
    """Remove what other processes made in a folder with ``own(prefix)`` and a suffix, and left there.

    Args:
        folder: an absolute path.
        prefix, suffix: as given to tempfile.
        owner: an account that may own them besides the one that this process runs as.
        shared: other processes may use theirs at this moment; without it the host lock says that none does.
    """
    # What tempfile puts between prefix and suffix is eight such characters.
    ours = re.compile(rf"{re.escape(prefix)}(\d+)\.[a-z0-9_]{{8}}{re.escape(suffix)}")
    owners = {os.geteuid()}
    with contextlib.suppress(KeyError):
        owners.add(pwd.getpwnam(owner).pw_uid)
    for name in os.listdir(folder):
        found = ours.fullmatch(name)
        if not found or int(found.group(1)) == os.getpid() or (shared and _runs(int(found.group(1)))):
            continue
        path = os.path.join(folder, name)
        with contextlib.suppress(FileNotFoundError):
            status = os.lstat(path)
            if status.st_uid not in owners:
                continue
            if stat.S_ISDIR(status.st_mode):
                shutil.rmtree(path)
            else:
                os.unlink(path)


def _runs(process: int) -> bool:
    return os.path.exists(f"/proc/{process}")
