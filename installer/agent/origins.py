"""Where this host's packages come from: repositories, and the packages that bring some. Changes nothing."""

from __future__ import annotations

import contextlib
from typing import Any, Dict, Iterable, List, Sequence

from installer.agent import installed
from installer.agent.host import Host
from installer.resources import dnf_configuration, repository
from installer.resources.package_manager import DNF, package_manager
from installer.resources.texts import ini_files

#: What names of packages have in them that bring repositories, such as ``centos-release-rabbitmq-4``.
BRINGING = "-release-"
#: What leaves packages of a repository out, in today's word and in the older one (dnf.conf(5)).
_EXCLUDING = ("excludepkgs", "exclude")


def origins(host: Host) -> Dict[str, Any]:
    """Return what was found, of dnf.

    ``bringing``: the packages that bring repositories, each with those of them that need it; ``repositories``: by id,
    of those that are enabled, ``excluded``, patterns of packages that are left out, and ``priority``, if one is set.
    """
    if package_manager(host) != DNF:
        return {"bringing": {}, "repositories": {}}
    names = [line[3:].strip() for line in installed.packages(host) if BRINGING in line]
    asked = ["rpm", "-q", "--qf", "[%{=NAME} %{REQUIRENAME}\n]", *names]
    return {
        "bringing": needing(names, host.run(asked, expect=None).out.splitlines() if names else []),
        "repositories": repositories(*repository.files_on_this_host(), dnf_configuration.texts()),
    }


def needing(names: Sequence[str], lines: Iterable[str]) -> Dict[str, List[str]]:
    """Return packages, each with those of them that need it.

    Args:
        names: the packages.
        lines: each of a package, and something that it requires.
    """
    found: Dict[str, List[str]] = {name: [] for name in sorted(set(names))}
    for name, _, required in (line.partition(" ") for line in lines):
        if required in found and name != required and name not in found[required]:
            found[required].append(name)
    return found


def repositories(
    files: Sequence[str], overrides: Sequence[str], configuration: Iterable[str]
) -> Dict[str, Dict[str, Any]]:
    """Return of each repository that is enabled what is left out of it, and its priority.

    Args:
        files: texts of .repo files.
        overrides: see ``installer.resources.repository.enabled``.
        configuration: texts of dnf's own configuration files.
    """
    everywhere = [
        word
        for parser in ini_files(configuration)
        if parser.has_section("main")
        for option in _EXCLUDING
        for word in dnf_configuration.words(parser.get("main", option, fallback=""))
    ]
    found: Dict[str, Dict[str, Any]] = {}
    enabled = repository.enabled(files, overrides)
    for parser in ini_files(files):
        for section in filter(enabled.get, parser.sections()):
            own = (dnf_configuration.words(parser.get(section, option, fallback="")) for option in _EXCLUDING)
            found[section] = {"excluded": [*everywhere, *(word for words in own for word in words)], "priority": None}
            with contextlib.suppress(ValueError):
                found[section]["priority"] = int(parser.get(section, "priority", fallback=""))
    return found
