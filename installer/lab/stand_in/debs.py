"""Debian's packages as files: what each says of itself, and which others it needs."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

from installer.lab.places import command

#: What Debian's packages call while they are configured; no script of theirs is run here.
NOT_NEEDED = frozenset({"adduser", "debconf", "dpkg", "init-system-helpers", "lsb-base", "sysvinit-utils", "ucf"})
_FIELDS = ("Package", "Version", "Depends", "Pre-Depends", "Provides")


@dataclass(frozen=True)
class Deb:
    """One package file.

    Args:
        path: the file.
        name: its package.
        version: upstream version and revision, without the epoch.
        depends: clauses, each a tuple of alternatives, by name.
        provides: names that it stands in for.
    """

    path: Path
    name: str
    version: str
    depends: tuple[tuple[str, ...], ...] = ()
    provides: tuple[str, ...] = ()


def read(path: Path) -> Deb:
    """Return what a package file says of itself.

    Raises:
        LabFailed: when it is no package.
    """
    return parse(path, command(["dpkg-deb", "--field", str(path), *_FIELDS]))


def parse(path: Path, fields: str) -> Deb:
    """Return a package from the fields of its control file (deb-control(5))."""
    values: dict[str, str] = {}
    key = ""
    for line in fields.splitlines():
        if line[:1].isspace():
            values[key] += line
        else:
            key, _, value = line.partition(":")
            values[key] = value.strip()
    clauses = [*_clauses(values.get("Pre-Depends", "")), *_clauses(values.get("Depends", ""))]
    return Deb(
        path,
        values["Package"],
        values["Version"].partition(":")[2] or values["Version"],
        tuple(clauses),
        tuple(name for clause in _clauses(values.get("Provides", "")) for name in clause),
    )


def _clauses(text: str) -> Iterator[tuple[str, ...]]:
    for clause in filter(None, (part.strip() for part in text.split(","))):
        yield tuple(re.split(r"[\s(:]", alternative.strip())[0] for alternative in clause.split("|"))


def needs(deb: Deb, fetched: Iterable[Deb], installed: Collection[str]) -> list[str]:
    """Return the packages that a package needs, by name, sorted; of alternatives the first that there is.

    Args:
        deb: the package.
        fetched: all packages that were fetched.
        installed: names of those that the image has.
    """
    names = {one.name for one in fetched}
    virtual: Mapping[str, str] = {name: one.name for one in fetched for name in one.provides}
    found = set()
    for clause in deb.depends:
        if NOT_NEEDED & set(clause):
            continue
        for name in clause:
            real = name if name in names or name in installed else virtual.get(name)
            if real:
                found.add(real)
                break
    return sorted(found - {deb.name})
