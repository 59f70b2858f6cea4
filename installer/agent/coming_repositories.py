"""Repositories that come with packages which are not installed: dnf uses them without that these are installed.

On Enterprise Linux, packages of the distribution bring the repositories of CentOS's groups, such as that of RabbitMQ.
"""

from __future__ import annotations

import os
from typing import Any, Callable, Dict, Sequence

from installer.agent import package_list
from installer.agent.dnf_download import Item, NotDownloaded, download
from installer.agent.host import CommandFailed
from installer.agent.package_list import Asking, Repositories


def would_install(
    names: Sequence[str],
    sources: Sequence[str],
    repositories: Sequence[str],
    folder: Callable[[], str],
    asking: Asking,
) -> Dict[str, Any]:
    """Return what ``installer.agent.package_list.would_install`` tells, with the repositories that packages bring.

    Args:
        names: what is to be installed.
        sources: of these, those that bring repositories of others.
        repositories: ids of those that dnf is to use, too, if the host has them and leaves them off.
        folder: makes an empty one, for what is needed to know it.
        asking: how the package manager is asked.

    Returns:
        Also ``bringing``: the packages that bring repositories of others, as dnf lists them.
    """
    there = Repositories(repositories)
    told = package_list.would_install(names, there, asking)
    if not sources or not told.get("missing"):
        return told
    # With what they depend on, such as the keys.
    bringing = package_list.would_install(sources, there, asking)["packages"]
    if not bringing:
        return told
    try:
        more = brought(bringing, repositories, f"{folder()}/first", asking)
        again = package_list.would_install(names, more, asking)
        if not again["packages"]:
            raise NotDownloaded(again["problem"])
    except (NotDownloaded, CommandFailed, OSError) as problem:
        return {**told, "problem": f"{told['problem']}; those that packages bring cannot be asked: {problem}"}
    return {**again, "bringing": bringing}


def brought(packages: Sequence[Item], repositories: Sequence[str], folder: str, asking: Asking) -> Repositories:
    """Return what dnf is to use, with the repositories that packages bring.

    Args:
        packages: those packages; none: there are only those of the host.
        repositories: ids of those that dnf is to use, too, if the host has them and leaves them off.
        folder: theirs, which must be there as long as dnf is to use them; it is made.
        asking: how the package manager is asked.

    Raises:
        NotDownloaded: the packages are not to be had, or not what they should be, or rpm cannot unpack them.
    """
    there = Repositories(repositories)
    if not packages:
        return there
    paths, _ = download(packages, there, folder, asking, signed_where_checked=True)
    root = f"{folder}/root"
    os.mkdir(root, 0o700)
    # Their signatures have been looked at, with keys that this root does not have. No script is run.
    only_files = ("--nodeps", "--noscripts", "--notriggers", "--noplugins", "--nosignature", "--excludedocs")
    done = asking.host.run(["rpm", "--root", root, "--install", *only_files, *paths], expect=None)
    if done.code:
        raise NotDownloaded(f"rpm cannot unpack what brings repositories: {package_list.last_line(done)}")
    return Repositories(repositories, root)
