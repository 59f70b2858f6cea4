"""Whether RPMs are whole, and signed by whom their repository says. Nothing is imported into the host's own keys."""

from __future__ import annotations

import fnmatch
import os
import urllib.parse
from configparser import RawConfigParser
from typing import Dict, Iterable, List, Mapping, Optional, Sequence, Set, Tuple

from installer.agent.host import CommandFailed, Host
from installer.agent.package_list import last_line
from installer.agent.reach import filled
from installer.resources import dnf_configuration
from installer.resources.texts import ini_files

#: dnf 5 knows the option by both names (dnf5.conf(5)).
_CHECKED = ("gpgcheck", "pkg_gpgcheck")
_ON = ("1", "yes", "true", "on")
#: ``PATH: digests signatures OK``, seen with rpm 4.20 and 6.1; without a signature it says ``digests OK``.
_WHOLE, _SIGNED = " digests OK", " signatures OK"


def damaged(paths: Sequence[str], host: Host) -> List[str]:
    """Return the names of files that are no RPM, or not as they were made.

    Raises:
        CommandFailed: rpm cannot tell.
    """
    asked = host.run(["rpmkeys", "--checksig", "--nosignature", *paths], expect=None)
    if asked.code == 0:
        return []
    if not asked.out:
        raise CommandFailed(asked, f"rpm cannot tell whether packages are whole: {last_line(asked)}")
    whole = _said(asked.out, _WHOLE, paths)
    return [os.path.basename(path) for path in paths if path not in whole]


def _said(output: str, words: str, paths: Sequence[str]) -> Set[str]:
    """Return the files of which rpmkeys says so.

    Of one that it cannot read it leaves the line open: ``/p/a.rpm:/p/b.rpm: digests OK`` (seen with rpm 4.20).
    """
    lines = [line for line in output.splitlines() if line.endswith(words)]
    return {path for path in paths if any(f"{path}: " in line for line in lines)}


def signed(
    packages: Mapping[str, Sequence[str]],
    keys: Mapping[str, Sequence[str]],
    folder: str,
    host: Host,
    strict: bool = False,
) -> Tuple[Set[str], List[str]]:
    """Return the files whose signature is of a key of their repository, and those whose signature nobody here knows.

    What no repository wants checked, or with a key that is no file of this host, is in neither; nor is what is signed
    with another key that rpm of this host has: dnf would install that.

    Args:
        packages: paths by repository.
        keys: see ``keys_of``.
        folder: an empty one, for databases of keys.
        host: the host.
        strict: what its repository wants checked with a key that is no file of this host is not let pass: it must be
            signed with a key that rpm of this host has.
    """
    good: Set[str] = set()
    bad: List[str] = []
    for number, (repository, paths) in enumerate(sorted(packages.items())):
        database = os.path.join(folder, str(number))
        if not _imported(keys.get(repository, ()), database, host):
            bad += paths if strict and repository in keys else []
            continue
        found = _well_signed(paths, ["--dbpath", database], host)
        good |= found
        bad += [path for path in paths if path not in found]
    known = _well_signed(bad, [], host) if bad else set()
    return good, [path for path in bad if path not in known]


def _well_signed(paths: Sequence[str], options: Sequence[str], host: Host) -> Set[str]:
    return _said(host.run(["rpmkeys", *options, "--checksig", *paths], expect=None).out, _SIGNED, paths)


def _imported(keys: Sequence[str], database: str, host: Host) -> bool:
    """Tell whether all keys could be put into a database of their own: with some of them, good looks like bad."""
    paths = list(map(file_of, keys))
    if not paths or not all(paths):
        return False
    asked = [host.run(["rpmkeys", "--dbpath", database, "--import", str(path)], expect=None) for path in paths]
    return all(one.code == 0 for one in asked)


def file_of(key: str, root: str = "") -> Optional[str]:
    """Return the file of a key by its address; None where it is none of this host.

    Args:
        key: the address.
        root: a folder that takes the place of /.
    """
    path = urllib.parse.unquote(urllib.parse.urlsplit(key).path) if key.startswith(("file:", "/")) else ""
    return f"{root}{path}" if path and os.path.isfile(f"{root}{path}") else None


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
        name: [filled(key, variables) for key in dnf_configuration.words(keys[name])]
        for name, check in checks.items()
        if (check or fallback).strip().lower() in _ON
    }


def _options(parser: RawConfigParser, section: str, names: Sequence[str]) -> List[str]:
    return [parser.get(section, name) for name in names if parser.has_option(section, name)]
