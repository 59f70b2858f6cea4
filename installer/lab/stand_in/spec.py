"""The spec file of one RPM (pure): what rpmbuild makes it from."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

_UNIT = re.compile(r"/usr/lib/systemd/system/([^/@]+\.(?:service|socket|target))")
_ACCOUNTS = re.compile(r"/usr/lib/sysusers\.d/([^/]+\.conf)")
_TEMPORARY = re.compile(r"/usr/lib/tmpfiles\.d/([^/]+\.conf)")


@dataclass(frozen=True)
class Entry:
    """A path that an RPM has.

    Args:
        path: absolute.
        mode: permission bits; None: a symbolic link's.
        owner: who owns it.
        group: whose group it is.
        folder: whether it is a folder.
        configuration: whether what an operator changed in it stays.
    """

    path: str
    mode: int | None = None
    owner: str = "root"
    group: str = "root"
    folder: bool = False
    configuration: bool = False

    def line(self) -> str:
        """Return its line of the section %files."""
        words = ["%dir"] if self.folder else ["%config(noreplace)"] if self.configuration else []
        if self.mode is not None:
            words.append(f"%attr({self.mode:04o},{self.owner},{self.group})")
        return " ".join([*words, '"' + re.sub(r"([\[\]*?{}])", r"\\\1", self.path.replace("%", "%%")) + '"'])


@dataclass(frozen=True)
class Spec:
    """One RPM.

    Args:
        name: its name.
        version: as RPM takes it.
        tree: folder with its files, as the builder sees it; empty: it has none.
        entries: its paths.
        requires: what it needs, by capability.
        provides: further capabilities.
        accounts: those that it makes before its files come; see ``installer.lab.stand_in.recipe.Recipe``.
        post: what a shell does afterwards.
    """

    name: str
    version: str
    tree: str = ""
    entries: tuple[Entry, ...] = ()
    requires: tuple[str, ...] = ()
    provides: tuple[str, ...] = ()
    accounts: Mapping[str, Mapping[str, Any]] | None = None
    post: str = ""

    def text(self) -> str:
        """Return the spec file."""
        lines = [
            f"Name: {self.name}",
            f"Version: {self.version}",
            "Release: 1%{?dist}",
            "Summary: made from packages of Debian, for a stand-in",
            "License: that of its parts",
            "AutoReqProv: no",
            *(f"Provides: {name}" for name in self.provides),
            *(f"Requires: {name}" for name in self.requires),
            "%description",
            "Made from packages of Debian.",
        ]
        if self.tree:
            # Links cost nothing, and rpmbuild only reads the files.
            lines += ["%install", f"mkdir -p %{{buildroot}} && cp -al {self.tree}/. %{{buildroot}}/"]
        before = list(pre(self.accounts or {}))
        if before:
            lines += ["%pre", *before, "exit 0"]
        after = [*self._after(), *self.post.splitlines()]
        if after:
            lines += ["%post", *after, "exit 0"]
        return "\n".join([*lines, "%files", *(entry.line() for entry in self.entries), ""])

    def _after(self) -> Iterable[str]:
        paths = [entry.path for entry in self.entries if not entry.folder]
        if any(".so." in path for path in paths):
            yield "/sbin/ldconfig"
        for pattern, program in (
            (_ACCOUNTS, "systemd-sysusers"),
            (_TEMPORARY, "systemd-tmpfiles --create"),
            (_UNIT, "systemctl preset"),
        ):
            found = [match.group(1) for match in map(pattern.fullmatch, paths) if match]
            if found:
                yield f"{program} {' '.join(found)} >/dev/null 2>&1 || :"


def pre(accounts: Mapping[str, Mapping[str, Any]]) -> Iterable[str]:
    """Yield the shell's lines that make accounts which are not there, as packages of EL and Fedora do it."""
    for name, entry in accounts.items():
        number = f" -g {entry['number']}" if entry.get("number") else ""
        yield f"getent group {name} >/dev/null || groupadd -r{number} {name} || groupadd -r {name}"
        if entry.get("only_group"):
            continue
        number = f" -u {entry['number']}" if entry.get("number") else ""
        further = f" -G {','.join(entry['groups'])}" if entry.get("groups") else ""
        rest = f"-g {name}{further} -d {entry.get('home', '/')} -s {entry.get('shell', '/sbin/nologin')}"
        title = f"-c '{entry.get('title', name)}'"
        yield (
            f"getent passwd {name} >/dev/null || useradd -r{number} {rest} {title} {name} "
            f"|| useradd -r {rest} {title} {name}"
        )


def plain_version(version: str) -> str:
    """Return a version of Debian's as RPM takes it: without hyphens."""
    return re.sub(r"[^A-Za-z0-9.+_~]", "_", version) or "1"
