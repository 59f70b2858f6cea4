"""What differs between distributions, as data: a facts table per role, looked up by platform."""

from __future__ import annotations

import functools
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from installer.paths import read_yaml

#: Relatives by the ID of os-release(5): they take the facts of the family's first member.
FAMILIES = {
    "debian": "debian",
    "ubuntu": "ubuntu",
    "fedora": "fedora",
    "centos": "el",
    "rhel": "el",
    "rocky": "el",
    "almalinux": "el",
}

SUPPORTED = ("debian-12", "debian-13", "ubuntu-24.04", "el-9", "el-10", "fedora-42", "fedora-43", "fedora-44")


@dataclass(frozen=True)
class Platform:
    """A distribution and its version.

    Args:
        family: debian, ubuntu, el or fedora.
        version: as in os-release, major version only for el: 13, 24.04, 10.
        title: the distribution's own pretty name.
    """

    family: str
    version: str
    title: str = ""

    @classmethod
    def unknown(cls) -> Platform:
        """Return the platform of a host that nobody has looked at yet."""
        return cls("unknown", "")

    @classmethod
    def from_os_release(cls, os_release: Mapping[str, str]) -> Platform:
        """Return the platform that an os-release(5) file describes; the family is ``unknown`` if it is foreign."""
        family = FAMILIES.get(os_release.get("ID", ""), "unknown")
        version = os_release.get("VERSION_ID", "")
        if family == "el":
            version = version.split(".")[0]
        return cls(family, version, os_release.get("PRETTY_NAME", ""))

    @property
    def name(self) -> str:
        """The name that platforms.yaml uses, such as ``debian-13``."""
        return f"{self.family}-{self.version}"

    @property
    def supported(self) -> bool:
        """Whether pystack installs here."""
        return self.name in SUPPORTED

    @property
    def packaging(self) -> str:
        """The package manager's world: ``deb`` or ``rpm``."""
        return "deb" if self.family in ("debian", "ubuntu") else "rpm"


def merged_facts(path: Path, platform: Platform) -> dict[str, Any]:
    """Return a role's facts for a platform: ``default``, then ``deb``/``rpm``, then the family, then the version.

    Args:
        path: a platforms.yaml; a missing file means no facts.
        platform: the host's platform.
    """
    table = _table(path)
    merged: dict[str, Any] = {}
    for layer in ("default", platform.packaging, platform.family, platform.name):
        merged.update(table.get(layer) or {})
    return merged


@functools.cache
def _table(path: Path) -> dict[str, dict[str, Any]]:
    return (read_yaml(path) or {}) if path.exists() else {}
