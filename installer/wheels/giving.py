"""Gives hosts the wheels they need: fetched once by this machine, or out of a bundle."""

from __future__ import annotations

import contextlib
import threading
from collections.abc import Mapping
from pathlib import Path

from installer.engine.contents import answer
from installer.errors import PystackError
from installer.outcome import Listener
from installer.own_index import sources
from installer.wheels.environment import environment
from installer.wheels.once import Once
from installer.wheels.store import File, Store

#: A distribution that every index for OpenStack has.
ASKED_FOR = ("pbr",)


class Shared:
    """Fetches what a host asks for, once for all of them; while it is off, and when that fails, each asks its index.

    Args:
        index: address of the package index; empty leaves it to this machine's own configuration.
        blobs: files by sha256; the locks are among them.
        listen: takes events that tell how far it is.
    """

    def __init__(self, index: str, blobs: Mapping[str, Path], listen: Listener) -> None:
        self._index = index
        self._blobs = blobs
        self._listen = listen
        self._lock = threading.Lock()
        self._lists: Once[str, tuple[File, ...] | None] = Once()
        self._store: Store | None = None
        self._told = False
        self._stop = threading.Event()
        #: Whether hosts are to share.
        self.on = False

    def reaches(self) -> bool:
        """Tell whether this machine reaches the package index."""
        # It takes a while to import, and most runs fetch nothing.
        from installer.wheels.downloads import NoWay, ProxyNotUsable
        from installer.wheels.index import Index

        try:
            with contextlib.closing(Index(sources(self._index))) as index:
                index.check(ASKED_FOR)
        except (NoWay, ProxyNotUsable):
            return False
        return True

    def offer(self, name: str) -> bytes:
        """Return which wheels an environment needs, once all of them are here."""
        if not self.on:
            return answer(None)
        files = self._lists.get(name, lambda: self._fetched(name))
        return answer(None if files is None else [(file.name, file.sha256) for file in files])

    def path(self, sha256: str) -> Path | None:
        """Return the file of a wheel."""
        return self._store.path(sha256) if self._store and self._store.has(sha256) else None

    def close(self) -> None:
        """Fetch nothing more: nobody waits for it."""
        self._stop.set()

    def _fetched(self, name: str) -> tuple[File, ...] | None:
        # It takes a while to import, and most runs fetch nothing.
        from installer.wheels.fetching import fetch
        from installer.wheels.index import Index

        try:
            self._store = self._store or Store()
            with contextlib.closing(Index(sources(self._index))) as index:
                wanted = environment(name, self._blobs.__getitem__)
                files = fetch([wanted], index, self._store, self._tell, self._stop)[name]
            self._tell(f"{len(files)} wheels of {wanted.title} are here, for all hosts", done=True)
            return files
        except (PystackError, OSError) as problem:
            with self._lock:
                first, self._told = not self._told, True
            if first and not self._stop.is_set():
                reason = str(problem).splitlines()[0]
                self._tell(f"this machine cannot fetch them; each host asks its own package index: {reason}", done=True)
            return None

    def _tell(self, text: str, done: bool = False) -> None:
        self._listen({"event": "progress", "host": "", "step": "wheels", "text": text, "done": done})


class Bundled:
    """Gives what a bundle has, and forbids hosts any other source.

    Args:
        lists: the files of each environment by its name.
        store: where they are.
    """

    def __init__(self, lists: Mapping[str, tuple[File, ...]], store: Store) -> None:
        self._lists = lists
        self._store = store

    def offer(self, name: str) -> bytes:
        """Return which wheels an environment needs."""
        files = self._lists.get(name)
        if files is None:
            return answer(None, "the bundle does not have the wheels of this environment")
        return answer([(file.name, file.sha256) for file in files])

    def path(self, sha256: str) -> Path | None:
        """Return the file of a wheel."""
        return self._store.path(sha256) if self._store.has(sha256) else None
