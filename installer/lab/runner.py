"""What runs a lab host on this machine: the interface that every kind of it has."""

from __future__ import annotations

import shutil
from abc import ABC, abstractmethod
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import ClassVar

from installer.lab import network, places
from installer.lab.places import Report
from installer.lab.platforms import LabPlatform


@dataclass(frozen=True)
class Wish:
    """What a lab host is to have beyond its platform and its login.

    Args:
        kernel: ``shared``: this machine's, in a container; ``own``: one of its own.
        python: with Python 3 or without.
        external: with a second interface, ``ext0``.
        binds: folders of this machine that it sees, in the form of nspawn's ``--bind=``.
        disks: sizes of its further disks in GiB, all empty at first.
        selinux: the state that it boots into, ``disabled``, ``permissive`` or ``enforcing``; empty: it has none of it.
        memory: in MiB; 0: as the kind of host has it.
    """

    kernel: str = "shared"
    python: bool = True
    external: bool = False
    binds: tuple[str, ...] = ()
    disks: tuple[int, ...] = ()
    selinux: str = ""
    memory: int = 0


class Runner(ABC):
    """Runs one lab host: keeps its file system, boots it and ends it.

    Args:
        folder: where this machine keeps the host.
        name: the host's.
        image: what `provide` returned when the host was made.
        wish: what the host has.
    """

    #: How long a host may take until one can log in.
    login_seconds: ClassVar[float]
    #: Whether a host with a second interface also has a share of this machine for volumes.
    has_share: ClassVar[bool]

    def __init__(self, folder: Path, name: str, image: Path, wish: Wish) -> None:
        self.folder = folder
        self.name = name
        self.image = image
        self.wish = wish

    @property
    def log(self) -> Path:
        """Where the host's console goes."""
        return self.folder / "console.log"

    @property
    def root(self) -> Path:
        """Where this machine sees the host's file system while that is mounted here."""
        return self.folder / "root"

    def bridges(self) -> list[str]:
        """Return the bridge of this machine that each of the host's interfaces is on, in their order."""
        return [places.BRIDGE, *([network.outer().bridge] if self.wish.external else [])]

    def destroy(self) -> None:
        """Remove everything of the host from disk; it must have been released."""
        if self.folder.exists():
            shutil.rmtree(self.folder)

    @staticmethod
    @abstractmethod
    def check(wish: Wish) -> None:
        """Refuse what this kind of host cannot have.

        Raises:
            LabRefused: names what, and what to do instead.
        """

    @staticmethod
    @abstractmethod
    def provide(platform: LabPlatform, wish: Wish, report: Report) -> Path:
        """Return the base image of such a host; builds it when there is none.

        Args:
            platform: what it runs.
            wish: what it has.
            report: told of what takes long.

        Raises:
            LabFailed: when the packages cannot be fetched or installed.
            LabRefused: when the disk is too full or the machine has no package source for it.
        """

    @abstractmethod
    @contextmanager
    def furnish(self) -> Iterator[Path]:
        """Make the host's file system and yield where its settings are written; a reset goes back to their end."""

    @property
    @abstractmethod
    def running(self) -> bool:
        """Whether the host runs, or something of it is left."""

    @abstractmethod
    def start(self) -> None:
        """Boot the host and leave it running on its own; returns before it has booted.

        Raises:
            LabFailed: when it does not start; holds what it said.
        """

    @abstractmethod
    def stop(self) -> None:
        """Shut the host down in order, as a power button would; kills it when that takes two minutes."""

    @abstractmethod
    def kill(self) -> None:
        """End the host as a power cut would.

        Raises:
            LabFailed: when it still runs afterwards.
        """

    @abstractmethod
    def reboot(self) -> None:
        """Let the host reboot in order; returns when it has begun to boot anew.

        Raises:
            LabFailed: when it does not run, or has not come to its reboot in three minutes.
        """

    @abstractmethod
    def release(self) -> None:
        """Give back what this machine lent the host while it ran: mounts, control groups, interfaces."""

    @abstractmethod
    def discard(self) -> None:
        """Throw away everything that happened on the host since its settings were made; it must have been released."""
