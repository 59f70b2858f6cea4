"""What a lock says: distributions, their versions, for whom, the hashes of their files. Pure but for ``read``."""

from __future__ import annotations

import functools
import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from packaging.markers import Marker
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

_ENTRY = re.compile(r"^([A-Za-z0-9][^\n\\]*?)((?: \\\n    --hash=sha256:[0-9a-f]{64})+)$", re.MULTILINE)
_HASH = re.compile(r"--hash=sha256:([0-9a-f]{64})")
_BUILT = re.compile(r"^--no-binary=(\S+)$", re.MULTILINE)


@dataclass(frozen=True)
class Pin:
    """A distribution of a lock.

    Args:
        name: canonical name.
        version: the one that is wanted.
        marker: for whom (https://packaging.python.org/en/latest/specifications/dependency-specifiers/); None: for all.
        hashes: sha256 of each file that will do, 64 hex digits.
        built: whether it is built from its source distribution, because it has no wheel.
    """

    name: str
    version: str
    marker: Marker | None
    hashes: frozenset[str]
    built: bool = False

    @property
    def text(self) -> str:
        """The requirement, without whom it is for."""
        return f"{self.name}=={self.version}"


@functools.cache
def read(path: Path) -> tuple[Pin, ...]:
    """Return the distributions of a lock."""
    return tuple(parse(path.read_text(encoding="utf-8")))


def parse(text: str) -> Iterator[Pin]:
    """Yield the distributions of a lock as uv writes it (``uv pip compile --generate-hashes``)."""
    built = {canonicalize_name(name) for name in _BUILT.findall(text)}
    for line, hashes in _ENTRY.findall(text):
        requirement = Requirement(line)
        name = canonicalize_name(requirement.name)
        version = str(requirement.specifier).removeprefix("==")
        yield Pin(name, version, requirement.marker, frozenset(_HASH.findall(hashes)), name in built)
