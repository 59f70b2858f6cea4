"""Has dnf download packages, and looks whether they are what was asked for, whole and signed. Installs nothing."""

from __future__ import annotations

import os
import re
from typing import Dict, List, Mapping, Sequence, Set, Tuple

from installer.agent import package_signatures, reach
from installer.agent.host import Host
from installer.agent.package_list import Asking, Repositories, exactly, last_line
from installer.resources import dnf, dnf_configuration, repository

#: Seconds for downloading all of them.
PATIENCE = 3600.0
#: What dnf 4 says without dnf-plugins-core; dnf 5 has the command in itself.
_NO_COMMAND = re.compile(r"No such command: download")
_DIFFERS = re.compile(r'^Package "(\S+)" from .*repository ".+" has incorrect checksum$', re.MULTILINE)
_HEADER = "%{NAME} %{EPOCHNUM}:%{VERSION}-%{RELEASE} %{ARCH}\\n"

Item = Mapping[str, str]


class NotDownloaded(Exception):
    """Packages cannot be had; the message says why in one line."""


def download(
    packages: Sequence[Item],
    repositories: Repositories,
    folder: str,
    asking: Asking,
    signed_where_checked: bool = False,
) -> Tuple[List[str], Set[str]]:
    """Download packages and return their files, in their order, and those with a signature of their repository's.

    Args:
        packages: of those that ``installer.agent.package_list.would_install`` tells.
        repositories: what dnf is to use, too.
        folder: theirs; it is made.
        asking: how dnf is asked.
        signed_where_checked: refuse what dnf would not install before it is given a key that is no file of this host.

    Raises:
        NotDownloaded: they are not to be had, or not what they should be.
    """
    os.mkdir(folder, 0o700)
    _download(packages, repositories, f"{folder}/packages", asking)
    host = asking.host
    paths = _matched(packages, f"{folder}/packages", host)
    by_repository: Dict[str, List[str]] = {}
    for item, path in zip(packages, paths):
        by_repository.setdefault(item["repository"], []).append(path)
    return paths, _signed(by_repository, f"{folder}/keys", _keys(repositories.root, host), signed_where_checked, host)


def _download(packages: Sequence[Item], repositories: Repositories, folder: str, asking: Asking) -> None:
    os.mkdir(folder, 0o700)
    # Without keepcache, dnf 5 notes the files to be removed after its next transaction.
    options = ["--assumeyes", "--quiet", "--setopt=keepcache=True", *repositories.options()]
    asked = asking.run(["dnf", *options, "download", f"--destdir={folder}", *map(exactly, packages)], PATIENCE)
    said = asked.out + asked.err
    if _NO_COMMAND.search(said):
        raise NotDownloaded("dnf has no command to download them there: install dnf-plugins-core on that host")
    differ = _DIFFERS.findall(said)
    if differ:
        raise NotDownloaded(f"gone or not what the repository's metadata says: {', '.join(differ[:5])}")
    if asked.code:
        raise NotDownloaded(dnf.why(said) or last_line(asked))


def _matched(packages: Sequence[Item], folder: str, host: Host) -> List[str]:
    """Return the file of each package, by what its header says; repositories call files as they like."""
    paths = sorted(os.path.join(folder, name) for name in os.listdir(folder))
    if not paths:
        raise NotDownloaded("dnf downloaded none of them, and says nothing of it")
    broken = package_signatures.damaged(paths, host)
    if broken:
        raise NotDownloaded(f"what dnf downloaded is damaged: {', '.join(broken)}; see what its repository has")
    asked = host.run(["rpm", "-qp", "--nosignature", "--qf", _HEADER, *paths], expect=None)
    if asked.code:
        raise NotDownloaded(f"rpm cannot tell what dnf downloaded: {last_line(asked)}")
    found = dict(zip((tuple(line.split(" ")) for line in asked.out.splitlines()), paths))
    lost = [item for item in packages if _identity(item) not in found]
    if lost:
        raise NotDownloaded(f"dnf did not download {', '.join(map(exactly, lost[:5]))}, and says nothing of it")
    return [found[_identity(item)] for item in packages]


def _identity(item: Item) -> Tuple[str, ...]:
    version = item["version"]
    return (item["name"], version if ":" in version else f"0:{version}", item["architecture"])


def _keys(root: str, host: Host) -> Dict[str, List[str]]:
    """Return the addresses of keys by repository, those of packages that were unpacked into a folder included.

    Of what both define, dnf takes the host's own.
    """
    main = dnf_configuration.texts()
    files, overrides = repository.files_on_this_host()
    keys = package_signatures.keys_of(main, files, overrides, reach.dnf_variables(host))
    if not root:
        return keys
    theirs = package_signatures.keys_of(main, repository.files_below(root), overrides, reach.dnf_variables(host, root))
    own = repository.enabled(files, overrides)
    for name in theirs.keys() - own.keys():
        keys[name] = [package_signatures.file_of(key, root) or key for key in theirs[name]]
    return keys


def _signed(
    packages: Mapping[str, Sequence[str]], folder: str, keys: Mapping[str, Sequence[str]], strict: bool, host: Host
) -> Set[str]:
    """Return the files whose signature is their repository's, and refuse those with one that nobody here knows."""
    os.mkdir(folder, 0o700)
    good, bad = package_signatures.signed(packages, keys, folder, host, strict)
    if bad:
        names = ", ".join(sorted(map(os.path.basename, bad))[:5])
        raise NotDownloaded(
            f"signed neither with a key of their repository nor with one that this host's rpm has: {names}; dnf does "
            "not install them there either: see what their repository has (rpm -qip tells who signed them)"
        )
    return good
