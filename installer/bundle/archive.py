"""The archive: a plain tar, for wheels are compressed already. Written whole or not at all, with mode 0600."""

from __future__ import annotations

import contextlib
import hashlib
import io
import os
import tarfile
import tempfile
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import IO

from installer.bundle.manifest import NAME, BundleRefused, Manifest
from installer.resources import leftovers
from installer.wheels.store import BLOCK, Store, WrongHash

#: Bytes of a manifest; one with thousands of packages has a tenth of it.
LARGEST_MANIFEST = 16 << 20
#: Where members are: wheels and source distributions, the distribution's packages, and uv.
WHEELS, PACKAGES, UV = "wheels", "packages", "uv"

_AGAIN = "copy it again, or make it again: pystack bundle"


def write(path: Path, manifest: Manifest, files: Mapping[str, Path]) -> None:
    """Write a bundle with mode 0600, in place of one that is there.

    Args:
        path: the archive.
        manifest: what is in it.
        files: the files of its members.

    Raises:
        OSError: it cannot be written.
    """
    prefix = f".{path.name}.new-"
    leftovers.sweep(str(path.parent), prefix, shared=True)
    descriptor, temporary = tempfile.mkstemp(prefix=leftovers.own(prefix), dir=path.parent)
    try:
        with os.fdopen(descriptor, "wb") as stream:
            with tarfile.open(fileobj=stream, mode="w", format=tarfile.PAX_FORMAT) as archive:
                data = manifest.to_json()
                archive.addfile(_entry(NAME, len(data)), io.BytesIO(data))
                for name, member in sorted(manifest.members.items()):
                    with files[name].open("rb") as source:
                        archive.addfile(_entry(name, member.size, 0o755 if name == UV else 0o644), source)
            stream.flush()
            os.fsync(stream.fileno())
        os.replace(temporary, path)
    except BaseException:
        Path(temporary).unlink(missing_ok=True)
        raise


def _entry(name: str, size: int, mode: int = 0o644) -> tarfile.TarInfo:
    entry = tarfile.TarInfo(name)
    entry.size, entry.mode = size, mode
    return entry


def read(path: Path, store: Store) -> Manifest:
    """Check every member of a bundle against its manifest, keep them, and return the manifest.

    Args:
        path: the archive.
        store: where its files are kept.

    Raises:
        BundleRefused: it is no bundle, or not whole.
        StoreNotWritable: its files cannot be kept.
    """
    try:
        with path.open("rb") as stream, tarfile.open(fileobj=stream, mode="r:") as archive:
            manifest = _manifest(archive, path)
            seen = _take(archive, manifest, path, store)
    except (OSError, tarfile.TarError) as problem:
        reason = getattr(problem, "strerror", None) or str(problem)
        raise BundleRefused(f"{path} cannot be read as a bundle: {reason}", _AGAIN) from None
    _check_whole(manifest, seen, path)
    for name, contents in manifest.environments.items():
        store.note(name, contents.files)
    return manifest


def _take(archive: tarfile.TarFile, manifest: Manifest, path: Path, store: Store) -> set[str]:
    """Keep all members of an archive and return their names."""
    seen = set()
    for entry, content in _members(archive):
        member = manifest.members.get(entry.name)
        if member is None:
            raise BundleRefused(f"{path} holds {entry.name}, which its manifest does not name", _AGAIN)
        if entry.size != member.size:
            has = f"{entry.name} has {entry.size} bytes, and the manifest says {member.size}"
            raise BundleRefused(f"{path}: {has}", _AGAIN)
        _keep(content, member.sha256, store, f"{path}: {entry.name}")
        seen.add(entry.name)
    return seen


def _check_whole(manifest: Manifest, seen: set[str], path: Path) -> None:
    lost = sorted(set(manifest.members) - seen)
    named = {member.sha256 for member in manifest.members.values()}
    lost += sorted(
        file.name for one in manifest.environments.values() for file in one.files if file.sha256 not in named
    )
    if lost:
        more = f" and {len(lost) - 5} more" if len(lost) > 5 else ""
        raise BundleRefused(f"{path} lacks what its manifest names: {', '.join(lost[:5])}{more}", _AGAIN)


def reuse(path: Path, store: Store) -> None:
    """Keep what an earlier bundle has, as far as it is whole, so that it is not fetched again."""
    with contextlib.suppress(BundleRefused):
        read(path, store)


def is_one(path: Path) -> bool:
    """Tell whether a file begins as a bundle does, whole or not.

    Raises:
        OSError: it cannot be read.
    """
    try:
        with path.open("rb") as stream, tarfile.open(fileobj=stream, mode="r:") as archive:
            return _first(archive) is not None
    except tarfile.TarError:
        return False


def _manifest(archive: tarfile.TarFile, path: Path) -> Manifest:
    content = _first(archive)
    if content is None:
        raise BundleRefused(f"{path} is not a bundle of pystack: it does not begin with {NAME}", "")
    return Manifest.from_json(content.read(), str(path))


def _first(archive: tarfile.TarFile) -> IO[bytes] | None:
    entry = archive.next()
    fits = entry is not None and entry.isreg() and entry.name == NAME and entry.size <= LARGEST_MANIFEST
    return archive.extractfile(entry) if entry and fits else None


def _members(archive: tarfile.TarFile) -> Iterator[tuple[tarfile.TarInfo, IO[bytes]]]:
    while entry := archive.next():
        content = archive.extractfile(entry) if entry.isreg() else None
        if content is None:
            raise tarfile.ReadError(f"{entry.name} is no file")
        yield entry, content


def _keep(content: IO[bytes], sha256: str, store: Store, title: str) -> None:
    blocks = _blocks(content)
    found = sha256
    try:
        if store.has(sha256):
            digest = hashlib.sha256()
            for block in blocks:
                digest.update(block)
            found = digest.hexdigest()
        else:
            store.add(blocks, {sha256})
    except WrongHash as wrong:
        found = str(wrong)
    if found != sha256:
        raise BundleRefused(
            f"{title} has the sha256 {found}, and the manifest says {sha256}",
            "it was damaged or changed on its way: copy it again, or make it again: pystack bundle",
        )


def _blocks(content: IO[bytes]) -> Iterator[bytes]:
    try:
        while block := content.read(BLOCK):
            yield block
    except OSError as problem:
        # Who keeps them has a disk of its own that may be full.
        raise tarfile.ReadError(str(problem)) from problem
