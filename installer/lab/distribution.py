"""Base images of EL and Fedora from their own mirrors, where one answers: dnf fills a folder, as an installer does."""

from __future__ import annotations

import hashlib
import re
import urllib.request
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

from installer.lab import image, once, places, platforms
from installer.lab.places import Report, command, write
from installer.lab.stand_in import repository
from installer.lab.workshop import WORK, workshop
from installer.paths import read_yaml

_TABLE = Path(__file__).with_name("distributions.yaml")
#: What Debian's packages that a lab host may want are called here; empty: there is no such thing.
_NAMES = {
    "auditd": "audit",
    "selinux-basics": "",
    "selinux-policy-default": "selinux-policy-targeted",
    "selinux-utils": "libselinux-utils",
    "udev": "systemd-udev",
}
_PATIENCE = 4.0
#: In a metalink (https://metalinker.org/).
_MIRROR = re.compile(r">(https?://[^<]+/repomd\.xml)<")
#: Where a workshop has the image that is being made, and the repositories that it is filled from.
_IMAGE, _REPOSITORIES = f"/{WORK}/image", f"/{WORK}/repos"
# $1 is the image in the workshop, then come the workshop and dnf's command line: scripts of packages want these two.
_INSTALL = """
set -e
mkdir -p "$1/proc" "$1/dev"
mount -t proc proc "$1/proc"
mount --bind /dev "$1/dev"
shift
exec chroot "$@"
"""
# Part of every image's name: raise it when the recipe below changes.
_RECIPE = "1"
_ROOM = 3.0


def answers(platform: str) -> bool:
    """Tell whether the mirrors of a platform can be reached from this machine; takes at most some seconds."""
    table = read_yaml(_TABLE)[platform]
    first = filled(next(iter(table["repositories"].values())), table["releasever"])
    try:
        with urllib.request.urlopen(first, timeout=_PATIENCE) as answer:  # noqa: S310 - from the table, https
            mirrors = _MIRROR.findall(answer.read().decode(errors="replace"))
        # The list of mirrors may be let through by a firewall that lets none of them.
        with urllib.request.urlopen(mirrors[0], timeout=_PATIENCE) as answer:  # noqa: S310 - see the pattern
            return bool(answer.status == 200)
    except (IndexError, OSError):
        return False


def filled(address: str, releasever: str) -> str:
    """Return the address of a repository with dnf's variables replaced."""
    return address.replace("$releasever", releasever).replace("$basearch", "x86_64")


def provide(platform: str, python: bool, report: Report, further: Sequence[str] = ()) -> Path:
    """Return the folder of a base image of the distribution's own packages; makes it when there is none.

    Args:
        platform: such as ``el-9``.
        python: with Python 3 or without.
        report: told of the making and its time.
        further: packages beyond those of a server, by Debian's names.

    Raises:
        LabFailed: when packages cannot be fetched or installed.
        LabRefused: when the disk is too full.
    """
    table = read_yaml(_TABLE)[platform]
    packages = wanted(table, python, further)
    tools = image.provide(platforms.find(repository.UNDER), True, report, repository.TOOLS)
    content = "\n".join([_RECIPE, tools.name, str(table), *packages])
    made = places.IMAGES / f"{platform}-{hashlib.sha256(content.encode()).hexdigest()[:12]}"
    what = f"the base image of {platform}, from its own mirrors"
    return once.made(made, what, _ROOM, report, lambda unfinished: _make(unfinished, tools, table, packages))


def wanted(table: Mapping[str, Any], python: bool, further: Iterable[str]) -> list[str]:
    """Return the packages of an image, sorted."""
    named = (_NAMES.get(name, name) for name in further)
    return sorted({*table["packages"], *(table["python"] if python else ()), *filter(None, named)})


def repositories(table: Mapping[str, Any]) -> str:
    """Return the .repo file from which dnf fills an image; every package's signature is checked."""
    keys = " ".join(table["keys"])
    return "\n".join(
        f"[{name}]\nname={name}\nmetalink={address}\nenabled=1\ngpgcheck=1\ngpgkey={keys}\n"
        for name, address in table["repositories"].items()
    )


def _make(unfinished: Path, tools: Path, table: Mapping[str, Any], packages: Sequence[str]) -> None:
    with workshop(tools) as root:
        inside = root / _IMAGE.lstrip("/")
        write(root / _REPOSITORIES.lstrip("/") / "lab.repo", repositories(table))
        inside.mkdir()
        options = [f"--installroot={_IMAGE}", f"--releasever={table['releasever']}"]
        options += [f"--setopt=reposdir={_REPOSITORIES}", "--setopt=install_weak_deps=False"]
        dnf = ["dnf", "-y", *options, "install", *packages]
        command(["unshare", "--mount", "sh", "-c", _INSTALL, "sh", str(inside), str(root), *dnf])
        command(["cp", "-a", str(inside), str(unfinished)])
    command(["chroot", str(unfinished), "systemctl", "enable", "NetworkManager.service", "sshd.service"])
    image.anonymise(unfinished)
