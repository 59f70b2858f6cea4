"""The distribution's packages for a bundle: which, in which versions, as hosts tell; and the packages themselves."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Any
from urllib.parse import unquote, urlsplit

from installer.agent.reach import split_login
from installer.bundle.archive import PACKAGES
from installer.bundle.manifest import Infrastructure
from installer.wheels import side_by_side
from installer.wheels.downloads import Downloads, NoWay
from installer.wheels.store import Store, WrongHash

AT_ONCE = 4

Tell = Callable[[str], None]

#: A login in an address, as a package manager may tell it.
_LOGIN = re.compile(r"//[^/\s@]+@")


def merged(name: str, title: str, answers: Mapping[str, Mapping[str, Any]]) -> Infrastructure:
    """Return what all hosts of a platform told.

    Args:
        name: the platform.
        title: its own pretty name.
        answers: by address; see ``installer.agent.package_list.would_install``.
    """
    packages = {
        (item["name"], item["version"], item["architecture"]): item
        for answer in answers.values()
        for item in answer["packages"]
    }
    told = {address: _LOGIN.sub("//", answer["problem"]) for address, answer in answers.items()}
    problems = [f"{address}: {problem}" for address, problem in told.items() if problem]
    return Infrastructure(
        name,
        title,
        tuple(answers),
        tuple(packages[key] for key in sorted(packages)),
        f"the list of packages is not whole: {'; '.join(problems)}" if problems else "",
    )


def fetched(platform: Infrastructure, downloads: Downloads, store: Store, tell: Tell) -> Infrastructure:
    """Return a platform with its packages in the store, or with the list alone and the reason for it.

    Args:
        platform: with ``url`` and ``sha256`` of packages, where its package manager tells them.
        downloads: by which they come.
        store: where they are kept.
        tell: is told how far it is.

    Raises:
        StoreNotWritable: they cannot be kept.
    """
    if not platform.packages:
        return platform
    if not all(item.get("url") and item.get("sha256") for item in platform.packages):
        return _without(platform, "its package manager does not tell where they are")
    numbers = range(len(platform.packages))
    futures = side_by_side.start(lambda number: _fetch(platform.packages[number], downloads, store), numbers, AT_ONCE)
    try:
        for number, future in enumerate(futures.values(), 1):
            future.result()
            if number % 20 == 0 or number == len(futures):
                tell(f"{platform.name}: {number} of {len(futures)} packages")
    except (NoWay, WrongHash) as problem:
        return _without(platform, str(problem))
    finally:
        # After a failure, or Ctrl-C, nobody waits for all the others.
        for future in futures.values():
            future.cancel()
    return replace(platform, packages=tuple(_with_member(platform.name, item) for item in platform.packages))


def files_of(platform: Infrastructure) -> dict[str, str]:
    """Return the sha256 of each package that goes into the archive, by its member."""
    return {item["member"]: item["sha256"] for item in platform.packages if "member" in item}


def _fetch(item: Mapping[str, str], downloads: Downloads, store: Store) -> None:
    if store.has(item["sha256"]):
        return
    try:
        store.add(downloads.content(item["url"]), {item["sha256"]})
    except WrongHash as wrong:
        address, _ = split_login(item["url"])
        raise WrongHash(f"{address} has the sha256 {wrong}, and the package list says {item['sha256']}") from None


def _with_member(platform: str, item: Mapping[str, str]) -> dict[str, str]:
    return {**_shown(item), "sha256": item["sha256"], "member": f"{PACKAGES}/{platform}/{_file(item)}"}


def _file(item: Mapping[str, str]) -> str:
    return unquote(urlsplit(item["url"]).path).rpartition("/")[2]


def _without(platform: Infrastructure, reason: str) -> Infrastructure:
    lacks = f"the packages themselves are not in it: {reason}"
    return replace(
        platform,
        packages=tuple(_shown(item) for item in platform.packages),
        lacks="; ".join(filter(None, [platform.lacks, lacks])),
    )


def _shown(item: Mapping[str, str]) -> dict[str, str]:
    # An address may hold a login, and leads nowhere from where the bundle goes.
    return {key: value for key, value in item.items() if key not in ("url", "sha256")}
