"""Packages of the distribution that are downloaded and unpacked somewhere, not installed."""

from __future__ import annotations

import glob
import os
from typing import Sequence

from installer.agent.host import CommandFailed, Host


def download(packages: Sequence[str], folder: str, host: Host) -> None:
    """Download packages into an empty folder, without those that they depend on.

    Raises:
        CommandFailed: a package that no source of the host has.
    """
    apt = os.path.isdir("/etc/apt")
    try:
        _fetch(apt, packages, folder, host)
    except CommandFailed:
        if not apt:
            raise
        # Lists of packages that are older than the mirror name files that it has no more.
        host.run(["apt-get", "update"])
        _fetch(apt, packages, folder, host)


def _fetch(apt: bool, packages: Sequence[str], folder: str, host: Host) -> None:
    if apt:
        # apt downloads into the folder that it is started in, and host.run always starts in /.
        program = 'cd "$1" && shift && exec apt-get -q -o APT::Sandbox::User=root download "$@"'
        host.run(["sh", "-c", program, "sh", folder, *packages])
    else:
        host.run(["dnf", "--assumeyes", "--quiet", f"--destdir={folder}", "download", *packages])


def unpack(packages: str, target: str, host: Host) -> None:
    """Unpack all packages in a folder into another one, as if that were ``/``."""
    os.makedirs(target, exist_ok=True)
    for path in sorted(glob.glob(f"{packages}/*.deb")):
        host.run(["dpkg-deb", "--extract", path, target])
    for path in sorted(glob.glob(f"{packages}/*.rpm")):
        host.run(["sh", "-c", 'rpm2archive - <"$1" | tar --extract --gzip --directory="$2"', "sh", path, target])
