"""Whether RPMs are whole, and signed by whom their repository says. Nothing is imported into the host's own keys."""

from __future__ import annotations

import fnmatch
import os
import re
import urllib.parse
from configparser import RawConfigParser
from typing import Dict, Iterable, List, Mapping, Optional, Sequence, Set, Tuple

from installer.agent.host import Host
from installer.agent.reach import filled
from installer.resources.texts import ini_files

#: Of a list of options in a file of dnf's (dnf.conf(5), "Types of options").
_SEPARATOR = re.compile(r"[\s,]+")
#: dnf 5 knows the option by both names (dnf5.conf(5)).
_CHECKED = ("gpgcheck", "pkg_gpgcheck")
_ON = ("1", "yes", "true", "on")
#: ``PATH: digests signatures OK``, seen with rpm 4.20 and 6.1; without a signature it says ``digests OK``.
_SIGNED = re.compile(r"^(.+): .*\bsignatures OK$", re.MULTILINE)
_NOT_OK = re.compile(r"^(.+): .*\bNOT OK$", re.MULTILINE)


def damaged(paths: Sequence[str], host: Host) -> List[str]:
    """Return the names of files that are no RPM, or not as they were made."""
    asked = host.run(["rpmkeys", "--checksig", "--nosignature", *paths], expect=None)
    if asked.code == 0:
        return []
    found = [os.path.basename(path) for path in _NOT_OK.findall(asked.out)]
    return found or [(asked.err or asked.out).strip().rpartition("\n")[2] or f"rpmkeys ended with code {asked.code}"]


def signed(
    packages: Mapping[str, Sequence[str]], keys: Mapping[str, Sequence[str]], folder: str, host: Host
) -> Tuple[Set[str], List[str]]:
    """Return the files whose signature is good, and those whose signature is not that of their repository.

    What no repository wants checked, or with a key that is no file of this host, is in neither.

    Args:
        packages: paths by repository.
        keys: see ``keys_of``.
        folder: an empty one, for databases of keys.
        host: the host.
    """
    good: Set[str] = set()
    bad: List[str] = []
    for number, (repository, paths) in enumerate(sorted(packages.items())):
        database = os.path.join(folder, str(number))
        if not _imported(keys.get(repository, ()), database, host):
            continue
        told = host.run(["rpmkeys", "--dbpath", database, "--checksig", *paths], expect=None).out
        found = set(_SIGNED.findall(told)) & set(paths)
        good |= found
        bad += [path for path in paths if path not in found]
    return good, bad


def _imported(keys: Sequence[str], database: str, host: Host) -> bool:
    """Tell whether all keys could be put into a database of their own: with some of them, good looks like bad."""
    paths = [_file(key) for key in keys]
    if not paths or not all(paths):
        return False
    asked = [host.run(["rpmkeys", "--dbpath", database, "--import", str(path)], expect=None) for path in paths]
    return all(one.code == 0 for one in asked)


def _file(key: str) -> Optional[str]:
    path = urllib.parse.unquote(urllib.parse.urlsplit(key).path) if key.startswith(("file:", "/")) else ""
    return path if path and os.path.isfile(path) else None


def keys_of(
    main: Iterable[str], repositories: Iterable[str], overrides: Iterable[str], variables: Mapping[str, str]
) -> Dict[str, List[str]]:
    """Return the addresses of keys for each repository whose packages dnf would check.

    Args:
        main: texts of dnf's own configuration, the strongest last.
        repositories: texts of .repo files.
        overrides: texts of those that dnf 5 reads afterwards; their sections may be patterns.
        variables: dnf's.
    """
    default = [value for parser in ini_files(main) for value in _options(parser, "main", _CHECKED)]
    checks: Dict[str, str] = {}
    keys: Dict[str, str] = {}
    for texts, is_pattern in ((repositories, False), (overrides, True)):
        for parser in ini_files(texts):
            for section in parser.sections():
                names = fnmatch.filter(checks, section) if is_pattern else [section]
                for name in names:
                    checks[name] = (_options(parser, section, _CHECKED) or [checks.get(name, "")])[-1]
                    keys[name] = (_options(parser, section, ("gpgkey",)) or [keys.get(name, "")])[-1]
    fallback = (default or [""])[-1]
    return {
        name: [filled(key, variables) for key in _SEPARATOR.split(keys[name]) if key]
        for name, check in checks.items()
        if (check or fallback).strip().lower() in _ON
    }


def _options(parser: RawConfigParser, section: str, names: Sequence[str]) -> List[str]:
    return [parser.get(section, name) for name in names if parser.has_option(section, name)]
