"""What each RPM of a stand-in's repository is made of, from the files in ``packages/``."""

from __future__ import annotations

import functools
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from installer.paths import read_yaml

FOLDER = Path(__file__).parent / "packages"
#: Repositories of a stand-in: the one that is on, the one that is off, and those that release packages bring.
REPOSITORIES = ("appstream", "crb", "messaging", "nfv")


@dataclass(frozen=True)
class Recipe:
    """One RPM that pystack asks for by name.

    Args:
        name: its name on the platforms that have no other in ``names``.
        debian: Debian's packages whose files it has.
        names: its name by platform; empty: that platform has none.
        requires: names of other RPMs.
        provides: further names.
        accounts: by name; each may have ``number``, ``home``, ``shell``, ``title``, ``groups``, ``only_group``.
        folders: empty ones, by path: mode, owner and group.
        without: shell patterns of paths of Debian's packages that are left out.
        moves: paths that are elsewhere on the platform, by Debian's.
        links: what symbolic links lead to, by path.
        files: texts by path; those that begin with ``#!`` may be run, those below /etc are configuration.
        post: what a shell does after it was installed.
        repository: one of ``REPOSITORIES``.
    """

    name: str
    debian: tuple[str, ...] = ()
    names: Mapping[str, str] = field(default_factory=dict)
    requires: tuple[str, ...] = ()
    provides: tuple[str, ...] = ()
    accounts: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)
    folders: Mapping[str, tuple[str, str, str]] = field(default_factory=dict)
    without: tuple[str, ...] = ()
    moves: Mapping[str, str] = field(default_factory=dict)
    links: Mapping[str, str] = field(default_factory=dict)
    files: Mapping[str, str] = field(default_factory=dict)
    post: str = ""
    repository: str = "appstream"

    def name_on(self, platform: str) -> str:
        """Return its name on a platform; empty where there is none."""
        return self.names.get(platform, self.name)


@functools.cache
def all_recipes() -> tuple[Recipe, ...]:
    """Return every recipe there is, in the order of files and entries."""
    return tuple(
        _recipe(name, entry) for path in sorted(FOLDER.glob("*.yaml")) for name, entry in read_yaml(path).items()
    )


def _recipe(name: str, entry: Mapping[str, Any]) -> Recipe:
    lists = {key: tuple(value) for key, value in entry.items() if isinstance(value, list)}
    folders = {path: tuple(value.split()) for path, value in entry.get("folders", {}).items()}
    return Recipe(name, **{**entry, **lists, "folders": folders})
