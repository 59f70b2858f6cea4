"""Throw-away systems that base images and their packages are made in, each on top of an image that stays as it is."""

from __future__ import annotations

import fcntl
import os
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from installer.lab import places
from installer.lab.machine import resolv_conf
from installer.lab.places import command, lock, unmount_below, write

#: The folder in a workshop to work in.
WORK = "work"
_PREFIX = "workshop-"


@contextmanager
def workshop(base: Path) -> Iterator[Path]:
    """Have a throw-away system while the body runs; those that were cut off are removed first.

    Args:
        base: the image.

    Yields:
        its file system, with a folder ``WORK``.

    Raises:
        LabFailed: when it cannot be mounted.
    """
    scratch, held = _begun()
    root = scratch / "root"
    try:
        for path in (root, scratch / "upper", scratch / "overlay"):
            path.mkdir()
        options = f"lowerdir={base},upperdir={scratch / 'upper'},workdir={scratch / 'overlay'},volatile"
        command(["mount", "-t", "overlay", "-o", options, "overlay", str(root)])
        write(root / "etc/resolv.conf", resolv_conf())
        (root / WORK / "top").mkdir(parents=True)
        yield root
    finally:
        _clear(scratch)
        os.close(held)


def _begun() -> tuple[Path, int]:
    """Return the folder of a new workshop, and the descriptor that shows others that somebody works there."""
    with lock("workshops"):
        for left in places.IMAGES.glob(f"{_PREFIX}*"):
            descriptor = _claimed(left)
            if descriptor is not None:
                _clear(left)
                os.close(descriptor)
        scratch = Path(tempfile.mkdtemp(prefix=_PREFIX, dir=places.IMAGES))
        held = os.open(scratch, os.O_RDONLY)
        fcntl.flock(held, fcntl.LOCK_EX)
    return scratch, held


def _claimed(scratch: Path) -> int | None:
    """Return a descriptor that holds a workshop; None where somebody works there, or it is gone by now."""
    try:
        descriptor = os.open(scratch, os.O_RDONLY)
    except FileNotFoundError:
        return None
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        os.close(descriptor)
        return None
    return descriptor


def _clear(scratch: Path) -> None:
    unmount_below(scratch)
    shutil.rmtree(scratch)
