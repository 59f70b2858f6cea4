"""Which platform a host is of, and what the platform's file tells its roles."""

from __future__ import annotations

import functools
import string
from collections.abc import Collection, Mapping
from dataclasses import dataclass

from installer.errors import UsageError
from installer.platforms import tables
from installer.platforms.facts import Facts
from installer.platforms.tables import Fact
from installer.refusals import Refusal


@dataclass(frozen=True)
class Platform:
    """A distribution and its version, as far as pystack knows them.

    Args:
        file: the platform's file; empty for one that pystack does not install on.
        release: of those that the file is for.
        title: the distribution's own pretty name.
        is_relative: whether it is not the one that the file was made for, but takes its facts.
    """

    file: str
    release: str
    title: str = ""
    is_relative: bool = False

    @classmethod
    def unknown(cls, title: str = "") -> Platform:
        """Return the platform of a host that nobody has looked at yet, or that pystack does not install on."""
        return cls("", "", title)

    @classmethod
    def from_os_release(cls, os_release: Mapping[str, str]) -> Platform:
        """Return the platform that an os-release(5) file describes, unknown if no file is for it."""
        told, version = os_release.get("ID", ""), os_release.get("VERSION_ID", "")
        title = os_release.get("PRETTY_NAME") or f"{os_release.get('NAME', told)} {version}".strip()
        for table in map(tables.table, tables.names()):
            for release in table.releases:
                if told in table.ids and f"{version}.".startswith(f"{release}."):
                    return cls(table.name, release, title, told != table.ids[0])
        return cls.unknown(title)

    @property
    def name(self) -> str:
        """Its short name, of distribution and release: ``debian-13``, ``el-9``, ``ubuntu-24.04``, ``fedora-44``."""
        return f"{_distribution(self)}-{self.release}" if self.file else "unknown"

    @property
    def supported(self) -> bool:
        """Whether pystack installs here."""
        return bool(self.file)

    @property
    def package_manager(self) -> str:
        """What installs packages: ``apt`` or ``dnf``; empty where that is not known."""
        return tables.table(self.file).package_manager if self.file else ""

    def __str__(self) -> str:
        """What an operator reads, such as ``Rocky Linux 9.6, handled as el-9``."""
        title = self.title or (_title(self) if self.supported else "an unknown distribution")
        return f"{title}, handled as {self.name}" if self.is_relative else title


@functools.cache
def supported() -> tuple[Platform, ...]:
    """Return every release of every platform that pystack installs on."""
    return tuple(
        Platform(table.name, release) for table in map(tables.table, tables.names()) for release in table.releases
    )


def find(name: str) -> Platform:
    """Return the platform of a short name, such as ``debian-13`` or ``debian13``.

    Raises:
        UsageError: there is none; it says which there are.
    """
    wanted = short_name(name)
    for platform in supported():
        if platform.name == wanted:
            return platform
    raise UsageError(*misnamed(name))


def short_name(name: str) -> str:
    """Return the short name of a platform that is named as its file is: ``el-9`` for ``el9``; others as given."""
    return next((platform.name for platform in supported() if _run_together(platform) == name), name)


def newest(name: str, among: Collection[str]) -> str:
    """Return the short name of the newest release where a name is a file's of several, such as ``fedora``; else empty.

    Args:
        name: as it was typed.
        among: the short names to choose from.
    """
    known = [platform.name for platform in supported() if platform.file == name and platform.name in among]
    return known[-1] if known else ""


def misnamed(name: str, among: Collection[str] = (), otherwise: str = "") -> Refusal:
    """Return what is wrong with a name that is no platform's, and which names there are.

    Args:
        name: as it was typed; a distribution without its release is answered with its releases.
        among: the names to choose from; none for those of all platforms.
        otherwise: what is wrong with a name that is no distribution's either.
    """
    known = [platform for platform in supported() if not among or platform.name in among]
    releases = [platform.name for platform in known if name.lower() in _distributions(platform)]
    if releases:
        return f"which release of {name}?", f"choose {' or '.join(releases)}"
    remedy = f"choose one of {', '.join(platform.name for platform in known)}"
    return otherwise or f"pystack does not install on '{name}'", remedy


def supported_titles() -> str:
    """Return what an operator calls the platforms that pystack installs on, in one line."""
    return "; ".join(map(_title, supported()))


def facts(platform: Platform, role: str) -> Facts:
    """Return what a platform's file says for a role; nothing where it has no section for it.

    Args:
        platform: the host's platform.
        role: the section: a role, or the folder below roles/ of what several roles share.
    """
    return Facts(platform.name, role, entries(platform).get(role, {}))


def entries(platform: Platform) -> Mapping[str, Mapping[str, Fact]]:
    """Return all that is known of a platform, by section and name."""
    return tables.table(platform.file).releases[platform.release] if platform.file else {}


def _run_together(platform: Platform) -> str:
    return platform.name.replace("-", "").replace(".", "")


def _distribution(platform: Platform) -> str:
    return platform.file.rstrip(string.digits)


def _distributions(platform: Platform) -> tuple[str, ...]:
    """Return what a distribution is called without its release, and its relatives."""
    return (_distribution(platform), *tables.table(platform.file).ids)


def _title(platform: Platform) -> str:
    table = tables.table(platform.file)
    return table.title if len(table.releases) == 1 else f"{table.title} {platform.release}"
