"""The disks of lab hosts with a kernel of their own: files of this machine, mounted here while they are furnished."""

from __future__ import annotations

import contextlib
import hashlib
import os
import re
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from installer.lab import bases, kernel, once, places
from installer.lab.places import LabFailed, Report, command, write
from installer.lab.platforms import LabPlatform

GIB = 2**30
#: What a freshly installed server has that a container needs not.
PACKAGES = ("e2fsprogs", "lvm2", "udev")
#: What a server has on which somebody has set SELinux up.
SELINUX_PACKAGES = (
    "auditd",
    "policycoreutils",
    "policycoreutils-python-utils",
    "selinux-basics",
    "selinux-policy-default",
    "selinux-utils",
)
_SELINUX_CONFIG = "etc/selinux/config"
# $1 is the file system, $2 the name of the policy. The setfiles of Debian 12 reaches files by way of /proc, which is
# gone again when this ends.
_LABEL = """
mount -t proc proc "$1/proc" &&
exec chroot "$1" setfiles -F -e /proc "/etc/selinux/$2/contexts/files/file_contexts" /
"""
_NETWORK_GENERATOR = "etc/systemd/system/sysinit.target.wants/systemd-network-generator.service"
# Holes take no room: a host uses what it writes.
_SIZE = 20 * GIB
_ROOM = 2.0
# Part of every image's name: raise it when the recipe below changes.
_RECIPE = "2"


def provide(platform: LabPlatform, python: bool, selinux: bool, report: Report) -> Path:
    """Return the folder of a base disk and its kernel (see `system` and `core`); makes it when there is none.

    Args:
        platform: what is on the disk.
        python: with Python 3 or without.
        selinux: with a policy of SELinux and its tools; not labelled yet.
        report: told of the build and its time.

    Raises:
        LabFailed: when the packages cannot be fetched or installed.
        LabRefused: when the disk is too full or the machine has no package source for it.
    """
    tree = bases.provide(platform, python, report, [*PACKAGES, *(SELINUX_PACKAGES if selinux else ())])
    own = kernel.provide(report)
    key = hashlib.sha256(f"{_RECIPE} {tree.name} {own.name} {_SIZE}".encode()).hexdigest()[:12]
    base = places.IMAGES / f"{tree.name.rpartition('-')[0]}-disk-{key}"
    what = f"the base disk of {platform.name}{' with SELinux' if selinux else ''}"
    return once.made(base, what, _ROOM, report, lambda unfinished: _make(unfinished, tree, own))


def system(base: Path) -> Path:
    """Return the file of a base disk: one ext4 file system."""
    return base / "disk"


def core(base: Path) -> Path:
    """Return the folder of the kernel whose modules are on a base disk (see `kernel.provide`)."""
    return (base / "kernel").resolve()


def _make(unfinished: Path, tree: Path, own: Path) -> None:
    unfinished.mkdir(mode=0o755)
    empty(system(unfinished), _SIZE)
    command(["mkfs.ext4", "-q", "-E", "lazy_itable_init=1,lazy_journal_init=1", str(system(unfinished))])
    with mounted(system(unfinished), unfinished / "root") as root:
        command(["cp", "-a", f"{tree}/.", str(root)])
        (root / "usr/lib/modules").mkdir(exist_ok=True)
        command(["cp", "-a", f"{own / kernel.MODULES}/.", str(root / "usr/lib/modules")])
        command(["chroot", str(root), "depmod", "-a", kernel.version(own)])
        # What systemd does once after an update of /usr was done when the packages were installed.
        for folder in ("etc", "var"):
            write(root / folder / ".updated", "")
    (unfinished / "kernel").symlink_to(own)


def empty(disk: Path, size: int) -> None:
    """Make an empty disk.

    Args:
        disk: the file.
        size: in bytes; a hole.
    """
    with disk.open("xb") as stream:
        os.truncate(stream.fileno(), size)


def copy(base: Path, disk: Path) -> None:
    """Make a disk that is like another, without the room that its holes would take."""
    command(["cp", "--sparse=always", "--reflink=auto", str(base), str(disk)])


@contextmanager
def mounted(disk: Path, where: Path) -> Iterator[Path]:
    """Have a disk's file system mounted on this machine while the body runs.

    Args:
        disk: the file.
        where: folder to mount it on; made, and removed again.

    Raises:
        LabFailed: when this machine cannot mount it.
    """
    where.mkdir(mode=0o700, exist_ok=True)
    try:
        command(["mount", "-t", "ext4", "-o", "loop", str(disk), str(where)])
    except LabFailed as error:
        raise LabFailed(
            f"the disk {disk} cannot be mounted\n{error.message}",
            "The kernel of this machine needs loop devices (see `losetup --find`) and ext4.",
        ) from error
    try:
        yield where
    finally:
        command(["umount", str(where)])
        with contextlib.suppress(OSError):
            where.rmdir()


def set_selinux(root: Path, state: str) -> None:
    """Let a host boot into a state of SELinux: sets it and labels all files; last of all that is written.

    Labels are attributes that this machine's kernel keeps without understanding them.

    Args:
        root: the host's mounted file system.
        state: ``disabled``, ``permissive`` or ``enforcing``.
    """
    config = root / _SELINUX_CONFIG
    write(config, selinux_config(config.read_text(), state))
    # Debian's policy denies it what it reads; all that it makes is settings of networkd from the kernel's command line.
    (root / _NETWORK_GENERATOR).unlink(missing_ok=True)
    policy = re.search(r"(?m)^SELINUXTYPE=(\S+)", config.read_text())
    command(["unshare", "--mount", "sh", "-c", _LABEL, "sh", str(root), policy.group(1) if policy else "default"])


def selinux_config(text: str, state: str) -> str:
    """Return the text of /etc/selinux/config with another state in it, all else as it was."""
    return re.sub(r"(?m)^SELINUX=.*$", f"SELINUX={state}", text)
