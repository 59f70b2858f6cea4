"""What tests do on a host whatever its platform: its package manager, and what an answer file needs there."""

from __future__ import annotations

import shlex
import shutil
from collections.abc import Sequence

import pytest

from installer import lab
from installer.lab import LabHost, PlatformNotPossible
from installer.platforms import find
from tests.lab import boot_image

#: Where hosts have the image of which pystack makes none on their platform.
IMAGE = "/root/test.img"
#: A platform of each package manager, of those that the lab can make everywhere.
EACH_KIND = ("debian-13", "fedora-43")
_INSTALL = {
    "apt": "export DEBIAN_FRONTEND=noninteractive; apt-get update -q; apt-get install -qy --no-install-recommends",
    "dnf": "dnf install -qy --setopt=install_weak_deps=0",
}


def package_manager(host: LabHost) -> str:
    """Return what installs packages on a host: ``apt`` or ``dnf``."""
    return find(host.platform).package_manager


def of_rpm(host: LabHost) -> bool:
    """Tell whether a host's packages are RPM's."""
    return package_manager(host) == "dnf"


def add_packages(host: LabHost, *names: str) -> None:
    """Install packages as an operator does.

    Args:
        host: where.
        names: as the host's platform calls them.
    """
    command = f"{_INSTALL[package_manager(host)]} {' '.join(names)}"
    host.run(command if host.user == "root" else f"sudo sh -c {shlex.quote(command)}", check=True)


def up_without_python(name: str) -> LabHost:
    """Make a host without Python; skips the test where the platform has none."""
    try:
        return lab.up([name], python=False)[0]
    except PlatformNotPossible as refused:
        pytest.skip(refused.message)


def answers(hosts: Sequence[LabHost]) -> dict[str, str]:
    """Return what an answer file needs for a cloud of hosts, an image to boot from included.

    Args:
        hosts: the first is the controller, and gets the image where pystack makes none there.
    """
    return {**lab.answers(hosts), **(image(hosts[0]) if of_rpm(hosts[0]) else {})}


def image(host: LabHost) -> dict[str, str]:
    """Give a host the image that pystack makes on Debian, and return what an answer file needs to take it."""
    shutil.copy(boot_image.provide(), host.root / IMAGE.lstrip("/"))
    return {"CONFIG_PROVISION_IMAGE_URL": IMAGE, "CONFIG_PROVISION_IMAGE_FORMAT": "raw"}
