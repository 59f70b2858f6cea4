"""Which packages, in which versions, this host's package manager would install. Changes nothing."""

from __future__ import annotations

import os
import re
import tempfile
import urllib.parse
from dataclasses import dataclass
from typing import Any, Callable, Dict, List, Mapping, Sequence, Tuple

from installer.agent.host import Completed, Host
from installer.resources import dnf, dnf_configuration, repository
from installer.resources.package_manager import DNF, package_manager

#: Seconds for reading the lists of all package sources.
PATIENCE = 900.0
#: ``'URL' file size SHA256:digest``
_URI = re.compile(r"^'(\S+)' (\S+)_\S+ (\d+) ?(?:SHA256:([0-9a-f]{64}))?", re.MULTILINE)
#: A line of dnf's table, which is the same in dnf 4 and 5: name, architecture, version, repository, and a size, which
#: with dnf 5 is that of what is installed.
_ROW = re.compile(r"^ +([^\s:]+) +(noarch|x86_64|aarch64|i686) +(\S+) +(\S+) +[\d.]+(?: +\S+)? *$", re.MULTILINE)
_COLUMNS = ("name", "architecture", "version", "repository")
#: What rows of that table are below for which something is missing, or in the way (dnf 4.23, libdnf5-cli).
_SKIPPED = "\nSkipping packages with "
#: dnf 4 writes `9.9 M`, and two lines where it has some already; dnf 5 writes `396 KiB`.
_TOTAL = re.compile(r"^Total (?:size:|download size:|size of inbound packages is) ([\d.]+) *([kKMGT]?)", re.MULTILINE)
_UNITS = {"": 1, "k": 1 << 10, "m": 1 << 20, "g": 1 << 30, "t": 1 << 40}


@dataclass(frozen=True)
class Asking:
    """How the package manager of a host is asked for a bundle.

    Args:
        host: the host.
        proxies: additions to the environment; what the package manager's own configuration says goes before them.
        stopped: tells whether to end the package manager, because the controller is gone.
    """

    host: Host
    proxies: Mapping[str, str]
    stopped: Callable[[], bool]

    def run(self, argv: Sequence[str], patience: float, **variables: str) -> Completed:
        """Run a command of the package manager and return how it ended.

        Args:
            argv: the command.
            patience: seconds that it may take.
            variables: further additions to the environment.

        Raises:
            CommandFailed: it took longer, or the controller is gone.
        """
        environment = {**self.proxies, **variables}
        return self.host.run(argv, expect=None, timeout=patience, env=environment, stopped=self.stopped)


@dataclass(frozen=True)
class Repositories:
    """What dnf is to use besides what is on.

    Args:
        names: ids of those that the host may have, and leave off.
        root: a folder with what packages have in them that bring repositories and are not installed; empty: there are
            none.
    """

    names: Sequence[str]
    root: str = ""

    def options(self) -> List[str]:
        """Return dnf's options that let it use them, as far as this host has them."""
        known = repository.on_this_host()
        options = [f"--enablerepo={name}" for name in self.names if name in known]
        if self.root:
            for option, own, theirs in (
                ("reposdir", dnf_configuration.repository_folders(), dnf_configuration.REPOSITORIES),
                ("varsdir", dnf_configuration.variable_folders(), dnf_configuration.VARIABLES),
            ):
                both = [*own, *(f"{self.root}{folder}" for folder in theirs)]
                options.append(f"--setopt={option}={','.join(filter(os.path.isdir, both))}")
        return options


def would_install(names: Sequence[str], repositories: Repositories, asking: Asking) -> Dict[str, Any]:
    """Return ``packages``, what an installation of some packages brings that is not there, and ``problem``.

    Args:
        names: what is to be installed, without what it merely recommends.
        repositories: what dnf is to use, too.
        asking: how it is asked.

    Returns:
        ``packages``: dicts with ``name``, ``version`` and ``architecture``; from apt also ``url`` and ``sha256``, from
        dnf also ``repository``. ``problem``: why the list is not there or not whole; empty if it is. From dnf also
        ``size``: how many bytes all the packages are, about; 0 where it does not say; and ``missing``: names that no
        repository has.
    """
    if package_manager(asking.host) == DNF:
        return _dnf(names, repositories, asking)
    with tempfile.TemporaryDirectory(prefix="pystack-lists-") as folder:
        return _apt(names, folder, asking)


def _apt(names: Sequence[str], folder: str, asking: Asking) -> Dict[str, Any]:
    # Lists of its own: the host's may be old or missing, and stay as they are.
    cache = [f"Dir::Cache::{name}=" for name in ("pkgcache", "srcpkgcache")]
    options = [word for item in (f"Dir::State::Lists={folder}", *cache) for word in ("-o", item)]
    # A user of its own downloads the lists, for whom the folder is closed.
    as_root = ["-o", "APT::Sandbox::User=root"]
    updated = asking.run(["apt-get", "-q", *options, *as_root, "update"], PATIENCE)
    # Of several hashes it would tell the weakest.
    words = ["-o", "Acquire::ForceHash=sha256", "--no-install-recommends", "--print-uris", "-y", "install", *names]
    asked = asking.run(["apt-get", "-qq", *options, *words], PATIENCE)
    if asked.code:
        return {"packages": [], "problem": last_line(asked) or last_line(updated)}
    return {"packages": parse_apt(asked.out), "problem": ""}


def parse_apt(text: str) -> List[Dict[str, str]]:
    """Return the packages of ``apt-get --print-uris install``."""
    found = []
    for url, start, _, sha256 in _URI.findall(text):
        name, _, version = start.partition("_")
        architecture = url.rpartition("_")[2].partition(".")[0]
        version = urllib.parse.unquote(version)
        found.append(
            {"name": name, "version": version, "architecture": architecture, "url": url, "sha256": sha256 or ""}
        )
    return found


def _dnf(names: Sequence[str], repositories: Repositories, asking: Asking) -> Dict[str, Any]:
    # What none of them has is left out and told of: it may be in one that a package brings which is not there yet.
    # What the host knows of its repositories may be older than they are, and name files that are gone.
    options = ["--assumeno", "--refresh", "--setopt=install_weak_deps=False", "--setopt=strict=False"]
    asked = asking.run(["dnf", *options, *repositories.options(), "install", *names], PATIENCE, COLUMNS="300")
    said = asked.out + asked.err
    found, skipped = parse_dnf(asked.out)
    missing = list(dict.fromkeys(dnf.NOT_FOUND.findall(said)))
    problems = [f"no repository that is there has {', '.join(missing)}"] if missing else []
    if skipped:
        names = ", ".join(map(exactly, skipped))
        why = dnf.why(dnf.NOT_FOUND.sub("", said)) or "it does not say why"
        problems.append(f"dnf would leave out {names}: {why}")
    if not found and not problems and "Nothing to do" not in said:
        # dnf 5 ends what it says with advice on its own options.
        problems.append(dnf.why(said) or last_line(asked))
    return {"packages": found, "problem": "; ".join(problems), "size": parse_size(said), "missing": missing}


def parse_dnf(text: str) -> Tuple[List[Dict[str, str]], List[Dict[str, str]]]:
    """Return the packages of the table that dnf shows before it asks: those that it would install, and skip."""
    shown, _, skipped = text.partition(_SKIPPED)
    found, left = ([dict(zip(_COLUMNS, row)) for row in dict.fromkeys(_ROW.findall(part))] for part in (shown, skipped))
    return found, left


def exactly(item: Mapping[str, str]) -> str:
    """Return a package as dnf takes it by name, epoch, version and architecture (dnf(8), "Specifying packages")."""
    return f"{item['name']}-{item['version']}.{item['architecture']}"


def parse_size(text: str) -> int:
    """Return how many bytes dnf says the packages are that it would install; 0 where it does not say."""
    return max((round(float(number) * _UNITS[unit.lower()]) for number, unit in _TOTAL.findall(text)), default=0)


def last_line(ended: Completed) -> str:
    """Return what a command said last."""
    lines = [line.strip() for line in (ended.err or ended.out).splitlines() if line.strip()]
    return lines[-1] if lines else f"{ended.argv[0]} ended with code {ended.code}"
