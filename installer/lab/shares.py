"""A share that lab hosts mount as if it were NFS: all of them run on one kernel, which may have no NFS client.

mount(8) calls ``mount.nfs`` for every mount of that type, whoever asks for it, so services use it unchanged. What they
get is a folder of this machine, the same on all hosts.
"""

from __future__ import annotations

import shutil
from pathlib import Path

from installer.lab import places
from installer.lab.places import command, write

#: Where a host sees the folder of this machine in which all shares are.
SEEN = "/srv/volumes"
_PROGRAM = "/usr/sbin/mount.nfs"
#: For rpm: a path that packages do not install, because somebody else keeps it. Fedora has one folder for both.
_KEPT = "%_netsharedpath /usr/sbin/mount.nfs:/usr/bin/mount.nfs\n"
#: Mounted once and privately: a second mount would hide the first, and a shared one would stack up on the folder.
_SCRIPT = """#!/bin/sh
[ $# -ge 2 ] || { echo "usage: mount.nfs remotetarget dir"; exit 0; }
mountpoint -q "$2" && exit 0
mount -i --bind "${1#*:}" "$2" && mount --make-private "$2"
"""


def bind() -> str:
    """Return the argument of nspawn's ``--bind=`` that lets a host see the shares."""
    return f"{_folder()}:{SEEN}"


def apply(root: Path, name: str) -> None:
    """Give a host its share, and what mounts it; the package that comes later leaves that alone.

    Args:
        root: the host's mounted file system.
        name: the host's.
    """
    (_folder() / name).mkdir(mode=0o755, parents=True, exist_ok=True)
    if (root / "usr/bin/dpkg-divert").exists():
        # Debian 12's package has it in /sbin: the same folder, but another path to dpkg.
        for path in (_PROGRAM, _PROGRAM.removeprefix("/usr")):
            divert = ["dpkg-divert", "--quiet", "--local", "--no-rename", "--divert", f"{path}.package", "--add", path]
            command(["chroot", str(root), *divert])
    else:
        write(root / "etc/rpm/macros.lab", _KEPT)
    write(root / _PROGRAM.lstrip("/"), _SCRIPT, 0o755)


def of(name: str, address: str) -> str:
    """Return a host's share, as an answer file names it: ``address:/path``."""
    return f"{address}:{SEEN}/{name}"


def clear(name: str) -> None:
    """Throw away what is kept in a host's share."""
    folder = _folder() / name
    if folder.exists():
        shutil.rmtree(folder)
        folder.mkdir(mode=0o755)


def remove(name: str) -> None:
    """Remove a host's share with what is kept in it."""
    shutil.rmtree(_folder() / name, ignore_errors=True)


def _folder() -> Path:
    return places.LAB / "volumes"
