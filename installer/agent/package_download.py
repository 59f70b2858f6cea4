"""Has dnf download packages into a folder of its own, where the controller fetches them. Installs nothing."""

from __future__ import annotations

import hashlib
import os
import re
import shutil
import tempfile
from typing import Any, Dict, List, Mapping, Sequence, Set, Tuple

from installer.agent import package_signatures, reach
from installer.agent.host import CommandFailed, Host
from installer.agent.package_list import enabling, last_line
from installer.resources import dnf, leftovers, repository
from installer.resources.texts import text_of

#: Where there is room for hundreds of megabytes: what is in /tmp may be in memory (file-hierarchy(7)).
PLACE = "/var/tmp"
_PREFIX = "pystack-packages-"
#: Bytes that the host keeps.
_SPARE = 256 << 20
#: Seconds for downloading all of them.
PATIENCE = 3600.0
#: What dnf 4 says without dnf-plugins-core; dnf 5 has the command in itself.
_NO_COMMAND = re.compile(r"No such command: download")
_DIFFERS = re.compile(r'^Package "(\S+)" from .*repository ".+" has incorrect checksum$', re.MULTILINE)
_HEADER = "%{NAME} %{EPOCHNUM}:%{VERSION}-%{RELEASE} %{ARCH}\\n"

Item = Mapping[str, str]


class NotDownloaded(Exception):
    """Packages cannot be had; the message says why in one line."""


class Downloads:
    """The packages that one agent has downloaded; they are gone when it ends.

    Args:
        place: the folder that theirs is made in.
    """

    def __init__(self, place: str = PLACE) -> None:
        self._place = place
        self._folders: List[str] = []
        self._paths: Dict[str, str] = {}

    def fetch(
        self, packages: Sequence[Item], repositories: Sequence[str], host: Host, proxies: Mapping[str, str]
    ) -> Dict[str, Any]:
        """Download packages and return ``files``, what is there of each, and ``problem``, why they are not.

        Args:
            packages: as ``installer.agent.package_list.would_install`` tells them.
            repositories: ids of those that dnf is to use, too, if the host has them and leaves them off.
            host: the host.
            proxies: additions to the environment; what dnf's own configuration says goes before them.

        Returns:
            ``files``: dicts with ``name``, ``version`` and ``architecture`` as they were given, ``size``, ``sha256``
            and ``signature``: ``good`` or nothing, for what nobody checked.
        """
        try:
            leftovers.sweep(self._place, _PREFIX, shared=True)
            _check_room(sum(int(item["size"]) for item in packages), shutil.disk_usage(self._place).free, self._place)
            folder = tempfile.mkdtemp(prefix=leftovers.own(_PREFIX), dir=self._place)
            self._folders.append(folder)
            _download(packages, repositories, f"{folder}/packages", host, proxies)
            paths = _matched(packages, f"{folder}/packages", host)
            good = _checked(packages, paths, f"{folder}/keys", host)
            files = [self._told(item, path, path in good) for item, path in zip(packages, paths)]
        except (NotDownloaded, CommandFailed, OSError) as problem:
            self.remove()
            return {"files": [], "problem": str(problem)}
        return {"files": files, "problem": ""}

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
        while self._folders:
            shutil.rmtree(self._folders.pop(), ignore_errors=True)


def _check_room(needed: int, free: int, place: str) -> None:
    if free < needed + _SPARE:
        raise NotDownloaded(
            f"there is no room to download them: {place} has {free >> 20} MiB, and they take up to {needed >> 20} MiB "
            f"besides {_SPARE >> 20} MiB that are left alone; make room there"
        )


def _download(
    packages: Sequence[Item], repositories: Sequence[str], folder: str, host: Host, proxies: Mapping[str, str]
) -> None:
    os.mkdir(folder, 0o700)
    # Without keepcache, dnf 5 notes the files to be removed after its next transaction.
    options = ["--assumeyes", "--quiet", "--setopt=keepcache=True", *enabling(repositories)]
    asked = host.run(
        ["dnf", *options, "download", f"--destdir={folder}", *map(_exactly, packages)],
        expect=None,
        timeout=PATIENCE,
        env=proxies,
    )
    said = asked.out + asked.err
    if _NO_COMMAND.search(said):
        raise NotDownloaded("dnf has no command to download them there: install dnf-plugins-core on that host")
    differ = _DIFFERS.findall(said)
    if differ:
        raise NotDownloaded(f"gone or not what the repository's metadata says: {', '.join(differ[:5])}")
    if asked.code:
        raise NotDownloaded(dnf.why(said) or last_line(asked))


def _exactly(item: Item) -> str:
    """Return a package as dnf takes it by name, epoch, version and architecture (dnf(8), "Specifying packages")."""
    return f"{item['name']}-{item['version']}.{item['architecture']}"


def _matched(packages: Sequence[Item], folder: str, host: Host) -> List[str]:
    """Return the file of each package, by what its header says; repositories call files as they like."""
    paths = sorted(os.path.join(folder, name) for name in os.listdir(folder))
    if not paths:
        raise NotDownloaded("dnf downloaded none of them, and says nothing of it")
    broken = package_signatures.damaged(paths, host)
    if broken:
        raise NotDownloaded(f"what dnf downloaded is damaged: {', '.join(broken)}; see what its repository has")
    asked = host.run(["rpm", "-qp", "--nosignature", "--qf", _HEADER, *paths])
    found = dict(zip((tuple(line.split(" ")) for line in asked.out.splitlines()), paths))
    lost = [item for item in packages if _identity(item) not in found]
    if lost:
        raise NotDownloaded(f"dnf did not download {', '.join(map(_exactly, lost[:5]))}, and says nothing of it")
    return [found[_identity(item)] for item in packages]


def _identity(item: Item) -> Tuple[str, ...]:
    version = item["version"]
    return (item["name"], version if ":" in version else f"0:{version}", item["architecture"])


def _checked(packages: Sequence[Item], paths: Sequence[str], folder: str, host: Host) -> Set[str]:
    """Return the files whose signature is good, and refuse those with another one than their repository's."""
    os.mkdir(folder, 0o700)
    by_repository: Dict[str, List[str]] = {}
    for item, path in zip(packages, paths):
        by_repository.setdefault(item["repository"], []).append(path)
    main = map(text_of, reach.dnf_configuration(reach.DNF_PARTS))
    keys = package_signatures.keys_of(main, *repository.files_on_this_host(), reach.dnf_variables(host))
    good, bad = package_signatures.signed(by_repository, keys, folder, host)
    if bad:
        names = ", ".join(sorted(map(os.path.basename, bad))[:5])
        raise NotDownloaded(f"not signed with a key of their repository: {names}; dnf would not install them either")
    return good
