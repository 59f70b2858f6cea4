"""Has dnf download packages into a folder of its own, where the controller fetches them. Installs nothing."""

from __future__ import annotations

import contextlib
import hashlib
import os
import shutil
import tempfile
from typing import Any, Dict, List, Sequence

from installer.agent import coming_repositories
from installer.agent.dnf_download import Item, NotDownloaded, download
from installer.agent.host import CommandFailed
from installer.agent.package_list import Asking
from installer.resources import leftovers

#: Where there is room for hundreds of megabytes: what is in /tmp may be in memory (file-hierarchy(7)).
PLACE = "/var/tmp"
_PREFIX = "pystack-packages-"
#: Bytes that the host keeps.
_SPARE = 256 << 20


class Downloads:
    """The packages that one agent has downloaded; they are gone when it ends, or before.

    Args:
        place: the folder that theirs is made in.
    """

    def __init__(self, place: str = PLACE) -> None:
        self._place = place
        self._folders: List[str] = []
        self._paths: Dict[str, str] = {}

    def sweep(self) -> None:
        """Remove what agents that were killed have left."""
        with contextlib.suppress(OSError):
            leftovers.sweep(self._place, _PREFIX, shared=True)

    def would_install(
        self,
        names: Sequence[str],
        sources: Sequence[str],
        repositories: Sequence[str],
        asking: Asking,
    ) -> Dict[str, Any]:
        """Return what an installation brings; see ``installer.agent.coming_repositories.would_install``."""
        self.sweep()
        made: List[str] = []

        def folder() -> str:
            made.append(self._folder())
            return made[-1]

        try:
            return coming_repositories.would_install(names, sources, repositories, folder, asking)
        finally:
            for one in made:
                self._remove(one)

    def fetch(
        self,
        packages: Sequence[Item],
        bringing: Sequence[Item],
        size: int,
        repositories: Sequence[str],
        asking: Asking,
    ) -> Dict[str, Any]:
        """Download packages and return ``files``, what is there of each, and ``problem``, why they are not.

        Args:
            packages: of those that ``installer.agent.package_list.would_install`` tells.
            bringing: of these, those that bring repositories of others.
            size: how many bytes they take at most, as it tells.
            repositories: ids of those that dnf is to use, too, if the host has them and leaves them off.
            asking: how dnf is asked.

        Returns:
            ``files``: dicts with ``name``, ``version`` and ``architecture`` as they were given, ``size``, ``sha256``
            and ``signature``: ``good``, or nothing where no key of its repository says that.
        """
        try:
            _check_room(size, shutil.disk_usage(self._place).free, self._place)
            folder = self._folder()
            told = coming_repositories.brought(bringing, repositories, f"{folder}/first", asking)
            paths, good = download(packages, told, f"{folder}/all", asking)
            files = [self._told(item, path, path in good) for item, path in zip(packages, paths)]
        except (NotDownloaded, CommandFailed, OSError) as problem:
            self.remove()
            return {"files": [], "problem": str(problem)}
        return {"files": files, "problem": ""}

    def _folder(self) -> str:
        folder = tempfile.mkdtemp(prefix=leftovers.own(_PREFIX), dir=self._place)
        self._folders.append(folder)
        return folder

    def _remove(self, folder: str) -> None:
        # Both the end of a request and that of the agent remove it.
        with contextlib.suppress(ValueError):
            self._folders.remove(folder)
        shutil.rmtree(folder, ignore_errors=True)

    def _told(self, item: Item, path: str, good: bool) -> Dict[str, Any]:
        digest = hashlib.sha256()
        with open(path, "rb") as stream:
            while block := stream.read(1 << 20):
                digest.update(block)
        self._paths[digest.hexdigest()] = path
        return {
            **{key: item[key] for key in ("name", "version", "architecture")},
            "size": os.path.getsize(path),
            "sha256": digest.hexdigest(),
            "signature": "good" if good else "",
        }

    def part(self, sha256: str, offset: int, size: int) -> bytes:
        """Return up to so many bytes of a package that was downloaded; none where it is not there any more."""
        try:
            with open(self._paths[sha256], "rb") as stream:
                stream.seek(offset)
                return stream.read(size)
        except (KeyError, OSError):
            return b""

    def remove(self) -> None:
        """Remove all that was downloaded."""
        self._paths.clear()
        for folder in list(self._folders):
            self._remove(folder)


def _check_room(needed: int, free: int, place: str) -> None:
    if free < needed + _SPARE:
        raise NotDownloaded(
            f"there is no room to download them: {place} has {free >> 20} MiB, and they take up to {needed >> 20} MiB, "
            f"as dnf says, besides {_SPARE >> 20} MiB that are left alone; make room there"
        )
