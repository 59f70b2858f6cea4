"""What the lab makes once and keeps: images, disks, kernels, repositories of packages."""

from __future__ import annotations

import time
from collections.abc import Callable
from pathlib import Path

from installer.lab.machine import check_room
from installer.lab.places import Report, lock


def made(folder: Path, what: str, room: float, report: Report, make: Callable[[], None]) -> Path:
    """Return a folder that is kept; makes it where it is not there, one at a time on this machine.

    Args:
        folder: where it is kept; its name tells what it is made of, so that another recipe makes another one.
        what: it in words.
        room: GiB that making it takes.
        report: told that it is made, and how long that took.
        make: makes it, whole or not at all.

    Raises:
        LabRefused: when the disk is too full.
    """
    with lock(folder.name):
        if not folder.is_dir():
            check_room(folder.parent, room, what)
            report(f"making {what} (once)")
            started = time.monotonic()
            make()
            report(f"made {what} in {time.monotonic() - started:.0f} s")
    return folder
