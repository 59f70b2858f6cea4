"""What the lab makes once and keeps: images, disks, kernels, repositories of packages."""

from __future__ import annotations

import shutil
import time
from collections.abc import Callable
from pathlib import Path

from installer.lab.machine import check_room
from installer.lab.places import Report, lock, unmount_below


def made(folder: Path, what: str, room: float, report: Report, make: Callable[[Path], None]) -> Path:
    """Return a folder that is kept; makes it where it is not there, whole or not at all, one at a time on this machine.

    Args:
        folder: where it is kept; its name tells what it is made of, so that another recipe makes another one.
        what: it in words.
        room: GiB that making it takes.
        report: told that it is made, and how long that took.
        make: makes it in the folder that it is given, which is not there yet and gets its name when all is done.

    Raises:
        LabRefused: when the disk is too full.
    """
    with lock(folder.name):
        if not folder.is_dir():
            check_room(folder.parent, room, what)
            report(f"making {what} (once)")
            started = time.monotonic()
            unfinished = folder.with_name(f"{folder.name}.unfinished")
            if unfinished.exists():
                # By a run that was cut off; what it has mounted there, too.
                unmount_below(unfinished)
                shutil.rmtree(unfinished)
            folder.parent.mkdir(mode=0o755, parents=True, exist_ok=True)
            make(unfinished)
            unfinished.rename(folder)
            report(f"made {what} in {time.monotonic() - started:.0f} s")
    return folder
