"""A bundle at work: read, checked, and ready to give hosts what they need."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path

from installer.bundle import archive, needs
from installer.bundle.manifest import Manifest
from installer.outcome import Finding
from installer.wheels.environment import Environment
from installer.wheels.giving import Bundled
from installer.wheels.store import Store


@dataclass(frozen=True)
class Bundle:
    """A bundle whose members are what its manifest says.

    Args:
        manifest: what is in it.
        wheels: gives hosts what they need.
    """

    manifest: Manifest
    wheels: Bundled

    def check(self, wanted: Mapping[str, Iterable[Environment]], release: str) -> list[Finding]:
        """Return for each host whether the bundle has what it needs; see ``needs.check``."""
        return list(needs.check(self.manifest, wanted, release))


def opened(path: str) -> Bundle:
    """Return the bundle at a path.

    Raises:
        BundleRefused: it is no bundle, or not whole.
        StoreNotWritable: its files cannot be kept.
    """
    store = Store()
    manifest = archive.read(Path(path), store)
    lists = {name: contents.files for name, contents in manifest.environments.items()}
    return Bundle(manifest, Bundled(lists, store))
