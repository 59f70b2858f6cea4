"""Where files that were fetched are kept on the machine that runs pystack: by their sha256, each verified."""

from __future__ import annotations

import contextlib
import errno
import hashlib
import json
import os
import re
import tempfile
import threading
from collections.abc import Collection, Iterable, Iterator
from dataclasses import astuple, dataclass
from pathlib import Path
from typing import IO

from installer.errors import PystackError
from installer.resources import leftovers

BLOCK = 1 << 20
#: What names of files begin with that are not whole yet.
NEW = ".new-"
_SHA256 = re.compile(r"[0-9a-f]{64}")


@dataclass(frozen=True)
class File:
    """A file that is kept: its name, and its sha256 (64 hex digits)."""

    name: str
    sha256: str


class WrongHash(Exception):
    """A file is not what it should be; the message tells the sha256 it has."""


def base() -> Path:
    """Return the folder of what is kept: below XDG_CACHE_HOME if that is set, else below ~/.cache."""
    given = os.environ.get("XDG_CACHE_HOME", "")
    # The specification wants relative paths ignored (XDG Base Directory Specification, "Environment variables").
    return (Path(given) if given.startswith("/") else Path.home() / ".cache") / "pystack" / "wheels"


class StoreNotWritable(PystackError):
    """The folder for files that are kept cannot be made, read or written.

    Args:
        folder: it.
        problem: why.
    """

    exit_code = 2

    def __init__(self, folder: Path, problem: OSError) -> None:
        full = problem.errno in (errno.ENOSPC, errno.EDQUOT)
        super().__init__(
            f"files cannot be kept in {folder}: {problem.strerror or problem}",
            ("make room there" if full else "make that folder, and what is in it, readable and writable")
            + ", or set XDG_CACHE_HOME to another one",
        )


class Store:
    """Files by their sha256. May be used by several threads and processes at once.

    Args:
        folder: where they are.

    Raises:
        StoreNotWritable: it cannot be made.
    """

    def __init__(self, folder: Path | None = None) -> None:
        self.folder = folder or base()
        self._verified: set[str] = set()
        self._lock = threading.Lock()
        with self._told():
            self.folder.mkdir(mode=0o700, parents=True, exist_ok=True)
            leftovers.sweep(str(self.folder), NEW, shared=True)

    def path(self, sha256: str) -> Path:
        """Return where a file is, or will be; ValueError for what is no sha256, as a bundle or a host may name it."""
        if not _SHA256.fullmatch(sha256):
            raise ValueError(f"{sha256!r} is no sha256")
        return self.folder / sha256

    def has(self, sha256: str) -> bool:
        """Tell whether a file is there, and is what its name says. One that is not is removed.

        Raises:
            StoreNotWritable: it cannot be read, or removed.
        """
        if not _SHA256.fullmatch(sha256):
            return False
        path = self.path(sha256)
        with self._lock:
            known = sha256 in self._verified
        if known and path.exists():
            return True
        with self._told():
            try:
                with path.open("rb") as stream:
                    found = hashlib.file_digest(stream, "sha256").hexdigest()
            except FileNotFoundError:
                return False
            if found != sha256:
                path.unlink(missing_ok=True)
                return False
        self._remember(sha256)
        return True

    def add(self, blocks: Iterable[bytes], hashes: Collection[str]) -> str:
        """Keep a file and return its sha256.

        Args:
            blocks: its content; what goes wrong while it is had is no OSError.
            hashes: the sha256 it may have.

        Raises:
            WrongHash: it has none of them; nothing is kept.
            StoreNotWritable: it cannot be kept.
        """
        digest = hashlib.sha256()
        with self._new() as stream:
            for block in blocks:
                digest.update(block)
                stream.write(block)
            found = digest.hexdigest()
            if found not in hashes:
                raise WrongHash(found)
            _put(stream, self.path(found))
        self._remember(found)
        return found

    def note(self, name: str, files: Iterable[File]) -> None:
        """Keep a list of files under a name.

        Raises:
            StoreNotWritable: it cannot be kept.
        """
        with self._new() as stream:
            stream.write(json.dumps([astuple(file) for file in files]).encode())
            _put(stream, self._list(name))

    def noted(self, name: str) -> tuple[File, ...] | None:
        """Return the list that is kept under a name, if all its files are there."""
        with contextlib.suppress(OSError, ValueError, TypeError):
            files = tuple(File(*item) for item in json.loads(self._list(name).read_text(encoding="utf-8")))
            if all(self.has(file.sha256) for file in files):
                return files
        return None

    def link(self, files: Iterable[File], folder: Path) -> None:
        """Put files into a folder, each by its name, as links to where they are."""
        for file in files:
            (folder / file.name).symlink_to(self.path(file.sha256))

    @contextlib.contextmanager
    def _told(self) -> Iterator[None]:
        try:
            yield
        except OSError as problem:
            raise StoreNotWritable(self.folder, problem) from problem

    @contextlib.contextmanager
    def _new(self) -> Iterator[IO[bytes]]:
        """Yield a file of this process's own, which is removed unless it is put where it belongs."""
        prefix = leftovers.own(NEW)
        with self._told(), tempfile.NamedTemporaryFile(prefix=prefix, dir=self.folder, delete=False) as stream:
            try:
                yield stream
            finally:
                Path(stream.name).unlink(missing_ok=True)

    def _list(self, name: str) -> Path:
        return self.folder / f"{hashlib.sha256(name.encode()).hexdigest()}.json"

    def _remember(self, sha256: str) -> None:
        with self._lock:
            self._verified.add(sha256)


def _put(stream: IO[bytes], path: Path) -> None:
    stream.flush()
    os.replace(stream.name, path)
