"""Packages of the distribution that are downloaded and unpacked somewhere, not installed."""

from __future__ import annotations

import glob
import os
from typing import Mapping, Sequence, Tuple

from installer.agent.host import CommandFailed, Host
from installer.resources.package_manager import APT, package_manager
from installer.resources.secret import Secret


def download(packages: Sequence[str], folder: str, host: Host, proxies: Sequence[Tuple[str, Secret]] = ()) -> None:
    """Download packages into an empty folder, without those that they depend on.

    Args:
        packages: their names.
        folder: where they are put.
        host: the host.
        proxies: see ``installer.resources.package.Package``.

    Raises:
        CommandFailed: a package that no source of the host has.
    """
    apt = package_manager(host) == APT
    env = {name: value.reveal() for name, value in proxies}
    try:
        _fetch(apt, packages, folder, host, env)
    except CommandFailed:
        if not apt:
            raise
        # Lists of packages that are older than the mirror name files that it has no more.
        host.run(["apt-get", "update"], env=env)
        _fetch(apt, packages, folder, host, env)


def _fetch(apt: bool, packages: Sequence[str], folder: str, host: Host, env: Mapping[str, str]) -> None:
    if apt:
        # apt downloads into the folder that it is started in, and host.run always starts in /.
        program = 'cd "$1" && shift && exec apt-get -q -o APT::Sandbox::User=root download "$@"'
        host.run(["sh", "-c", program, "sh", folder, *packages], env=env)
    else:
        # dnf 5 takes the folder after the word only; dnf 4 on either side of it.
        host.run(["dnf", "--assumeyes", "--quiet", "download", f"--destdir={folder}", *packages], env=env)


def unpack(packages: str, target: str, host: Host) -> None:
    """Unpack all packages in a folder into another one, as if that were ``/``."""
    os.makedirs(target, exist_ok=True)
    for path in sorted(glob.glob(f"{packages}/*.deb")):
        host.run(["dpkg-deb", "--extract", path, target])
    for path in sorted(glob.glob(f"{packages}/*.rpm")):
        host.run(["sh", "-c", 'rpm2archive - <"$1" | tar --extract --gzip --directory="$2"', "sh", path, target])
