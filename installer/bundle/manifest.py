"""What a bundle says of itself. Pure."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any

from installer.errors import UsageError
from installer.wheels.store import File

#: Counts up when an older pystack could not read what a newer one writes.
FORMAT = 1
#: The member that holds it, the first of the archive.
NAME = "manifest.json"


class BundleRefused(UsageError):
    """A bundle that cannot be used: damaged, or of another kind than this pystack reads."""


@dataclass(frozen=True)
class Member:
    """A file of the archive: bytes, and sha256 (64 hex digits)."""

    size: int
    sha256: str


@dataclass(frozen=True)
class Contents:
    """What one virtual environment is made of.

    Args:
        title: it in words, such as ``2026.2 for Python 3.13 on x86_64``.
        files: its wheels and source distributions.
    """

    title: str
    files: tuple[File, ...]


@dataclass(frozen=True)
class Infrastructure:
    """What the distribution brings on one platform.

    Args:
        name: the platform, such as ``debian-13``.
        title: its own pretty name.
        hosts: addresses of those that were asked.
        packages: a dict for each: ``name``; where a host was asked also ``version``, ``architecture``, of dnf
            ``repository``; ``member`` and ``sha256`` if the package itself is in it, ``signature``: ``good`` if it is
            one of the package's repository.
        lacks: what is not there, and why; empty if all is.
    """

    name: str
    title: str = ""
    hosts: tuple[str, ...] = ()
    packages: tuple[Mapping[str, str], ...] = ()
    lacks: str = ""


@dataclass(frozen=True)
class Manifest:
    """What is in a bundle.

    Args:
        pystack: version of the pystack that made it.
        release: of OpenStack.
        machine: the architecture of hosts, as ``uname -m`` tells it.
        environments: what each virtual environment is made of, by what agents ask for it by.
        platforms: what the distributions bring.
        members: every file but the manifest.
    """

    pystack: str
    release: str
    machine: str
    environments: Mapping[str, Contents]
    platforms: Sequence[Infrastructure]
    members: Mapping[str, Member]

    def to_json(self) -> bytes:
        """Return the manifest as it is written."""
        return json.dumps({"format": FORMAT, **asdict(self)}, indent=1, sort_keys=True).encode() + b"\n"

    @classmethod
    def from_json(cls, data: bytes, path: str) -> Manifest:
        """Return what a manifest says.

        Raises:
            BundleRefused: it is none, or of a newer format.
        """
        again = "make it again: pystack bundle"
        try:
            told: dict[str, Any] = json.loads(data)
            found = told.pop("format")
            if found != FORMAT:
                raise BundleRefused(
                    f"{path} is a bundle of format {found}, and this pystack reads format {FORMAT}",
                    "make it again with the pystack that installs",
                )
            return cls(
                **{
                    **told,
                    "environments": {name: _contents(item) for name, item in told["environments"].items()},
                    "platforms": [
                        Infrastructure(**{**item, "hosts": tuple(item["hosts"]), "packages": tuple(item["packages"])})
                        for item in told["platforms"]
                    ],
                    "members": {
                        name: Member(item["size"], _checked(item["sha256"])) for name, item in told["members"].items()
                    },
                }
            )
        except (ValueError, TypeError, KeyError, AttributeError) as problem:
            raise BundleRefused(f"{path}: its manifest cannot be read: {problem}", again) from None


def _contents(item: Mapping[str, Any]) -> Contents:
    return Contents(item["title"], tuple(_file(file["name"], file["sha256"]) for file in item["files"]))


def _file(name: str, sha256: str) -> File:
    if not re.fullmatch(r"[A-Za-z0-9_][^/]*", name):
        raise ValueError(f"{name!r} is no name of a file")
    return File(name, _checked(sha256))


def _checked(sha256: str) -> str:
    if not re.fullmatch(r"[0-9a-f]{64}", sha256):
        raise ValueError(f"{sha256!r} is no sha256")
    return sha256
