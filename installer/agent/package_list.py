"""Which packages, in which versions, this host's package manager would install. Changes nothing."""

from __future__ import annotations

import re
import tempfile
import urllib.parse
from typing import Any, Dict, List, Mapping, Sequence

from installer.agent.host import Completed, Host
from installer.resources import dnf, repository
from installer.resources.package_manager import DNF, package_manager

#: Seconds for reading the lists of all package sources.
PATIENCE = 900.0
#: ``'URL' file size SHA256:digest``
_URI = re.compile(r"^'(\S+)' (\S+)_\S+ (\d+) ?(?:SHA256:([0-9a-f]{64}))?", re.MULTILINE)
#: A line of dnf's table, which is the same in dnf 4 and 5: name, architecture, version, repository, size and its unit.
_ROW = re.compile(r"^ +([^\s:]+) +(noarch|x86_64|aarch64|i686) +(\S+) +(\S+) +([\d.]+) +(\S+) *$", re.MULTILINE)
#: dnf 4 writes `9.9 M` and counts the download, dnf 5 `396.2 KiB` and counts what it is once installed.
_UNITS = {"k": 1 << 10, "m": 1 << 20, "g": 1 << 30}


def would_install(
    names: Sequence[str], repositories: Sequence[str], host: Host, proxies: Mapping[str, str]
) -> Dict[str, Any]:
    """Return ``packages``, what an installation of some packages brings that is not there, and ``problem``.

    Args:
        names: what is to be installed, without what it merely recommends.
        repositories: ids of those that dnf is to use, too, if the host has them and leaves them off.
        host: the host.
        proxies: additions to the environment; what the package manager's own configuration says goes before them.

    Returns:
        ``packages``: dicts with ``name``, ``version`` and ``architecture``; from apt also ``url`` and ``sha256``, from
        dnf also ``repository`` and about how many bytes it takes, ``size``. ``problem``: why the list is not there or
        not whole; empty if it is.
    """
    if package_manager(host) == DNF:
        return _dnf(names, repositories, host, proxies)
    with tempfile.TemporaryDirectory(prefix="pystack-lists-") as folder:
        return _apt(names, folder, host, proxies)


def _apt(names: Sequence[str], folder: str, host: Host, proxies: Mapping[str, str]) -> Dict[str, Any]:
    # Lists of its own: the host's may be old or missing, and stay as they are.
    cache = [f"Dir::Cache::{name}=" for name in ("pkgcache", "srcpkgcache")]
    options = [word for item in (f"Dir::State::Lists={folder}", *cache) for word in ("-o", item)]
    # A user of its own downloads the lists, for whom the folder is closed.
    as_root = ["-o", "APT::Sandbox::User=root"]
    updated = host.run(
        ["apt-get", "-q", *options, *as_root, "update"], expect=None, timeout=PATIENCE, env=dict(proxies)
    )
    # Of several hashes it would tell the weakest.
    words = ["-o", "Acquire::ForceHash=sha256", "--no-install-recommends", "--print-uris", "-y", "install", *names]
    asked = host.run(["apt-get", "-qq", *options, *words], expect=None, timeout=PATIENCE)
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


def _dnf(names: Sequence[str], repositories: Sequence[str], host: Host, proxies: Mapping[str, str]) -> Dict[str, Any]:
    # What none of them has is left out and told of: it may be in one that a package brings which is not there yet.
    # What the host knows of its repositories may be older than they are, and name files that are gone.
    options = ["--assumeno", "--refresh", "--setopt=install_weak_deps=False", "--setopt=strict=False"]
    asked = host.run(
        ["dnf", *options, *enabling(repositories), "install", *names],
        expect=None,
        timeout=PATIENCE,
        env={**proxies, "COLUMNS": "300"},
    )
    said = asked.out + asked.err
    found, missing = parse_dnf(asked.out), dnf.NOT_FOUND.findall(said)
    if missing:
        return {"packages": found, "problem": f"no repository that is there has {', '.join(dict.fromkeys(missing))}"}
    # dnf 5 ends what it says with advice on its own options.
    return {"packages": found, "problem": "" if found or "Nothing to do" in said else dnf.why(said) or last_line(asked)}


def enabling(repositories: Sequence[str]) -> List[str]:
    """Return dnf's options that let it use repositories, those that this host has."""
    known = repository.on_this_host()
    return [f"--enablerepo={name}" for name in repositories if name in known]


def parse_dnf(text: str) -> List[Dict[str, str]]:
    """Return the packages of the table that dnf shows before it asks."""
    columns = ("name", "architecture", "version", "repository")
    return [
        {**dict(zip(columns, row)), "size": str(round(float(row[4]) * _UNITS.get(row[5][0].lower(), 1)))}
        for row in dict.fromkeys(_ROW.findall(text))
    ]


def last_line(ended: Completed) -> str:
    """Return what a command said last."""
    lines = [line.strip() for line in (ended.err or ended.out).splitlines() if line.strip()]
    return lines[-1] if lines else f"{ended.argv[0]} ended with code {ended.code}"
