"""The platforms that a lab host can have, as data."""

from __future__ import annotations

from dataclasses import dataclass

from installer.lab.places import LabRefused
from installer.platforms import misnamed, newest, short_name

# What a freshly installed server has that mmdebstrap's smallest system has not; nothing of OpenStack.
_SERVER = (
    "ca-certificates",
    "dbus",
    "iproute2",
    "kmod",
    "libpam-systemd",
    "netbase",
    "openssh-server",
    "procps",
    "sudo",
    "systemd",
    "systemd-sysv",
)


@dataclass(frozen=True)
class LabPlatform:
    """One distribution and version that the lab can make.

    Args:
        name: as in answer files and on the command line, such as ``debian-13``.
        suite: the code name in the package archive.
        packages: what the image holds beside mmdebstrap's ``minbase``.
        python: the packages that bring Python 3; left out of an image without Python.
        rpm: whether its packages are RPMs: then a stand-in is made (see `installer.lab.stand_in`).
    """

    name: str
    suite: str = ""
    packages: tuple[str, ...] = _SERVER
    python: tuple[str, ...] = ("python3",)
    rpm: bool = False


PLATFORMS = {
    platform.name: platform
    for platform in (
        LabPlatform("debian-13", "trixie"),
        LabPlatform("debian-12", "bookworm"),
        LabPlatform("el-9", rpm=True),
        LabPlatform("el-10", rpm=True),
        LabPlatform("fedora-43", rpm=True),
    )
}


def find(name: str) -> LabPlatform:
    """Return the platform of that name; of a distribution that has one file for all its releases, the newest one.

    Raises:
        LabRefused: when the lab cannot make it.
    """
    known = newest(name, PLATFORMS) or short_name(name)
    if known not in PLATFORMS:
        raise LabRefused(*misnamed(name, PLATFORMS, f"the lab has no platform '{name}'"))
    return PLATFORMS[known]
