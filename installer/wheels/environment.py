"""What a virtual environment is made of: distributions of a lock, for one kind of host."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from pathlib import Path

from installer.resources.wheels import LIST
from installer.wheels import lock
from installer.wheels.lock import Pin
from installer.wheels.store import File
from installer.wheels.target import Target


@dataclass(frozen=True)
class Environment:
    """What a virtual environment is made of.

    Args:
        name: what agents ask for its wheels by; see ``installer.resources.wheels.list_name``.
        lock: its lock.
        build: the lock of what builds distributions that have no wheel.
        target: for whom.
    """

    name: str
    lock: Path
    build: Path
    target: Target

    @property
    def title(self) -> str:
        """What it is called in words."""
        return f"{self.lock.stem} for {self.target.title}"

    def pins(self) -> list[Pin]:
        """Return the distributions it needs, with what builds those that have no wheel."""
        pins = [pin for pin in lock.read(self.lock) if self.target.wants(pin)]
        if any(pin.built for pin in pins):
            pins += [pin for pin in lock.read(self.build) if self.target.wants(pin)]
        return list(dict.fromkeys(pins))

    def is_made_of(self, files: Iterable[File]) -> bool:
        """Tell whether files are what the lock names: one for each distribution that is needed, and nothing else."""
        pins, hashes = self.pins(), {file.sha256 for file in files}
        named = frozenset[str]().union(*(pin.hashes for pin in pins))
        return hashes <= named and all(pin.hashes & hashes for pin in pins)


def environment(name: str, find: Callable[[str], Path]) -> Environment:
    """Return what an agent asks for.

    Args:
        name: by which it asks; see ``installer.resources.wheels.list_name``.
        find: returns the file of a sha256.
    """
    lock_file, build, version, machine = name.removeprefix(LIST).split(" ")
    return Environment(name, find(lock_file), find(build), Target(version, machine))
