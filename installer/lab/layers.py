"""A lab host's file system: the shared base image, the host's settings on top, then everything that happens on it.

Three overlay layers make a reset cheap: the topmost is thrown away, the settings stay. The overlay is volatile: it does
not wait for the disk, which halves the time of a package transaction. What a host has written survives the death of the
host, not that of this machine.
"""

from __future__ import annotations

import shutil
import time
from pathlib import Path

from installer.lab.places import LabFailed, command

_UNMOUNT_SECONDS = 10


def root(folder: Path) -> Path:
    """Return where the host's file system is seen as a whole."""
    return folder / "root"


def settings(folder: Path) -> Path:
    """Return the layer that holds the host's settings."""
    return folder / "settings"


def upper(folder: Path) -> Path:
    """Return the layer that takes what changes on the running host."""
    return folder / "upper"


def mount_settings(folder: Path, image: Path) -> Path:
    """Mount the image with the settings layer open for writing, and return the mount point."""
    return _mount(folder, [image], settings(folder))


def mount(folder: Path, image: Path) -> Path:
    """Mount the host's whole file system where it is not mounted yet, and return the mount point."""
    if root(folder).is_mount():
        return root(folder)
    return _mount(folder, [settings(folder), image], upper(folder))


def _mount(folder: Path, lower: list[Path], writable: Path) -> Path:
    for layer in lower:
        if not layer.is_dir():
            raise LabFailed(
                f"{layer}, a layer of the lab host in {folder}, is gone", "Remove the host with `pystack lab-down`."
            )
    # Holds the mark by which the kernel refuses to mount a volatile overlay a second time.
    shutil.rmtree(folder / "work", ignore_errors=True)
    for path in (root(folder), writable, folder / "work"):
        path.mkdir(mode=0o755, parents=True, exist_ok=True)
    options = f"lowerdir={':'.join(map(str, lower))},upperdir={writable},workdir={folder / 'work'},volatile"
    try:
        command(["mount", "-t", "overlay", "-o", options, "overlay", str(root(folder))])
    except LabFailed as error:
        raise LabFailed(
            f"overlayfs cannot be used in {folder}\n{error.message}",
            "The kernel needs overlayfs, and the folder must be on a plain file system such as ext4 or XFS, not"
            " itself on an overlay: mount one at /var/lib/pystack.",
        ) from error
    return root(folder)


def unmount(folder: Path) -> None:
    """Unmount the host's file system; waits a little for a container that is just going.

    Raises:
        LabFailed: when something keeps it busy.
    """
    deadline = time.monotonic() + _UNMOUNT_SECONDS
    while root(folder).is_mount():
        try:
            command(["umount", str(root(folder))])
        except LabFailed as error:
            if time.monotonic() > deadline:
                raise LabFailed(
                    f"{root(folder)} cannot be unmounted\n{error.message}",
                    "See who uses it: `fuser -vm` on that path.",
                ) from error
            time.sleep(0.1)


def discard(folder: Path) -> None:
    """Throw away everything that happened on the host since its settings were made; it must be unmounted."""
    for path in (upper(folder), folder / "work"):
        if path.exists():
            shutil.rmtree(path)
