"""The distribution's packages for a bundle: which, in which versions, as hosts tell; and the packages themselves."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from functools import partial
from typing import Any
from urllib.parse import unquote, urlsplit

from installer.agent.reach import split_login
from installer.bundle import from_hosts
from installer.bundle.archive import PACKAGES
from installer.bundle.from_hosts import DownloadingHost
from installer.bundle.keeping import Wanted, keep
from installer.bundle.manifest import Infrastructure
from installer.errors import HostUnreachable
from installer.wheels.downloads import Downloads, NoWay
from installer.wheels.store import Store, WrongHash

Tell = Callable[[str], None]

#: A login in an address, as a package manager may tell it: a password that nobody encoded may have an ``@`` in it.
_LOGIN = re.compile(r"//[^/\s]+@")
_QUERY = re.compile(r"(://[^\s?]*)\?[^\s\])>]+")


def merged(name: str, title: str, answers: Mapping[str, Mapping[str, Any]]) -> Infrastructure:
    """Return what all hosts of a platform told.

    Args:
        name: the platform.
        title: its own pretty name.
        answers: by address; see ``installer.agent.package_list.would_install``.
    """
    packages: dict[tuple[str, ...], Mapping[str, str]] = {}
    for address, answer in answers.items():
        for item in answer["packages"]:
            packages.setdefault((item["name"], item["version"], item["architecture"]), {**item, "host": address})
    told = {address: _public(answer["problem"]) for address, answer in answers.items()}
    problems = [f"{address}: {problem}" for address, problem in told.items() if problem]
    return Infrastructure(
        name,
        title,
        tuple(answers),
        tuple(packages[key] for key in sorted(packages)),
        f"the list of packages is not whole: {'; '.join(problems)}" if problems else "",
    )


def fetched(
    platform: Infrastructure, downloads: Downloads, hosts: Mapping[str, DownloadingHost], store: Store, tell: Tell
) -> Infrastructure:
    """Return a platform with its packages in the store, or with the list alone and the reason for it.

    Args:
        platform: with ``url`` and ``sha256`` of packages where apt tells them; what dnf lists has a ``repository``.
        downloads: by which they come where their addresses are known.
        hosts: those whose package managers download packages themselves, by address.
        store: where they are kept.
        tell: is told how far it is.

    Raises:
        StoreNotWritable: they cannot be kept.
    """
    if not platform.packages or not platform.hosts:
        # No host has told more of them than the plan knows: their names.
        return platform
    try:
        if all(item.get("url") and item.get("sha256") for item in platform.packages):
            packages = _from_mirrors(platform, downloads, store, tell)
        elif all(item.get("repository") and item.get("host") in hosts for item in platform.packages):
            packages = from_hosts.fetched(platform, hosts, store, tell)
        else:
            return _without(platform, "its package manager does not tell where they are")
        return replace(platform, packages=_with_members(platform.name, packages))
    except (NoWay, WrongHash, HostUnreachable) as problem:
        return _without(platform, _public(str(problem).partition("\n")[0]))


def _from_mirrors(
    platform: Infrastructure, downloads: Downloads, store: Store, tell: Tell
) -> Sequence[Mapping[str, str]]:
    files = [
        Wanted(split_login(item["url"])[0], item["sha256"], "the package list", partial(downloads.content, item["url"]))
        for item in platform.packages
    ]
    keep(files, store, f"{platform.name}: {{}} of {{}} packages", tell)
    return platform.packages


def files_of(platform: Infrastructure) -> dict[str, str]:
    """Return the sha256 of each package that goes into the archive, by its member."""
    return {item["member"]: item["sha256"] for item in platform.packages if "member" in item}


def _with_members(platform: str, packages: Sequence[Mapping[str, str]]) -> tuple[Mapping[str, str], ...]:
    """Return packages with the member of the archive that each becomes.

    Raises:
        NoWay: they cannot all become one.
    """
    hashes: dict[str, str] = {}
    found = []
    for item in packages:
        name = _file(item)
        if hashes.setdefault(name, item["sha256"]) != item["sha256"]:
            raise NoWay(f"two packages with different content are both called {name}")
        kept = {key: item[key] for key in ("sha256", "signature") if key in item}
        found.append({**_shown(item), **kept, "member": f"{PACKAGES}/{platform}/{name}"})
    return tuple(found)


def _file(item: Mapping[str, str]) -> str:
    if "url" in item:
        name = unquote(urlsplit(item["url"]).path).rpartition("/")[2]
        if not name.endswith(".deb"):
            raise NoWay(f"{split_login(item['url'])[0]} is no address of a package")
        return name
    # As RPMs are called everywhere, without the epoch. What a host tells leads nowhere else.
    version = item["version"].rpartition(":")[2]
    return f"{item['name']}-{version}.{item['architecture']}.rpm".replace("/", "_")


def _without(platform: Infrastructure, reason: str) -> Infrastructure:
    lacks = f"the packages themselves are not in it: {reason}"
    return replace(
        platform,
        packages=tuple(_shown(item) for item in platform.packages),
        lacks="; ".join(filter(None, [platform.lacks, lacks])),
    )


def _shown(item: Mapping[str, str]) -> dict[str, str]:
    # An address may hold a login, and leads nowhere from where the bundle goes.
    return {key: value for key, value in item.items() if key not in ("url", "sha256", "host", "signature")}


def _public(text: str) -> str:
    """Return what a package manager told without what may be secret in addresses: a login, and what follows a ``?``."""
    return _QUERY.sub(r"\1", _LOGIN.sub("//", text))
