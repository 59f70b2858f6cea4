"""Makes a bundle: fetches what is needed, and writes the archive."""

from __future__ import annotations

import hashlib
import platform as machine_of
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from uv import find_uv_bin

from installer import __version__, platforms
from installer.bundle import archive, packages
from installer.bundle.from_hosts import DownloadingHost
from installer.bundle.manifest import Contents, Infrastructure, Manifest, Member
from installer.cloud import GROUPS, CloudHost
from installer.errors import PystackError
from installer.own_index import sources
from installer.refusals import refuse
from installer.wheels.downloads import Downloads
from installer.wheels.environment import Environment
from installer.wheels.fetching import fetch
from installer.wheels.index import Index
from installer.wheels.store import Store

Tell = Callable[[str], None]

_ANOTHER = "name another file: --output"


class BundleNotWritten(PystackError):
    """The archive cannot be written."""

    exit_code = 2


@dataclass(frozen=True)
class Made:
    """A bundle that was written.

    Args:
        path: the archive.
        manifest: what is in it.
        size: bytes.
    """

    path: Path
    manifest: Manifest
    size: int


def make(
    path: Path,
    release: str,
    environments: Iterable[Environment],
    infrastructure: Sequence[Infrastructure],
    index: str,
    tell: Tell,
    hosts: Mapping[str, DownloadingHost] | None = None,
) -> Made:
    """Fetch what is needed and write a bundle.

    Args:
        path: the archive; what one that is there has is not fetched again.
        release: of OpenStack.
        environments: what virtual environments are made of.
        infrastructure: what the distributions bring.
        index: address of the package index; empty leaves it to this machine's own configuration.
        tell: is told how far it is.
        hosts: those whose package managers download packages that they alone reach, by address.

    Raises:
        FetchFailed: the package index lacks something, or does not answer.
        BundleNotWritten: the archive cannot be written, or would replace something else than a bundle.
        StoreNotWritable: what was fetched cannot be kept.
    """
    _refuse_what_is_there(path)
    store = Store()
    if path.exists():
        tell(f"looking what {path} has already")
        archive.reuse(path, store)
    files = _wheels(environments, index, store, tell)
    downloads = Downloads()
    try:
        brought = [packages.fetched(one, downloads, hosts or {}, store, tell) for one in infrastructure]
    finally:
        downloads.close()
    members = {f"{archive.WHEELS}/{file.name}": store.path(file.sha256) for one in files.values() for file in one.files}
    for one in brought:
        members.update({member: store.path(sha256) for member, sha256 in packages.files_of(one).items()})
    members[archive.UV] = Path(find_uv_bin())
    told = {name: Member(file.stat().st_size, _digest(file)) for name, file in members.items()}
    manifest = Manifest(__version__, release, machine_of.machine(), files, brought, told)
    tell(f"writing {path}")
    try:
        archive.write(path, manifest, members)
    except OSError as problem:
        raise _not_written(path, problem) from None
    return Made(path, manifest, path.stat().st_size)


def _refuse_what_is_there(path: Path) -> None:
    if not path.parent.is_dir():
        raise BundleNotWritten(f"{path} cannot be written: there is no folder {path.parent}", "make it first")
    try:
        if path.is_dir() or (path.exists() and not archive.is_one(path)):
            raise BundleNotWritten(f"{path} is there already, and is no bundle", _ANOTHER)
    except OSError as problem:
        raise _not_written(path, problem) from None


def _not_written(path: Path, problem: OSError) -> BundleNotWritten:
    return BundleNotWritten(f"{path} cannot be written: {problem.strerror or problem}", _ANOTHER)


def _wheels(environments: Iterable[Environment], index: str, store: Store, tell: Tell) -> dict[str, Contents]:
    wanted = list(dict.fromkeys(environments))
    asked = Index(sources(index))
    try:
        found = fetch(wanted, asked, store, tell)
    finally:
        asked.close()
    return {one.name: Contents(one.title, found[one.name]) for one in wanted}


def _digest(path: Path) -> str:
    with path.open("rb") as stream:
        return hashlib.file_digest(stream, "sha256").hexdigest()


def hosts_of(names: Sequence[str]) -> list[CloudHost]:
    """Return one host of every group for each platform that is named.

    Raises:
        UsageError: a name is none of a supported platform.
    """
    known = {platform.name: platform for platform in platforms.supported()}
    asked = {platforms.short_name(name): name for name in names}
    refuse(platforms.misnamed(typed) for name, typed in asked.items() if name not in known)
    return [CloudHost(name, frozenset(GROUPS), {}, known[name]) for name in asked]
