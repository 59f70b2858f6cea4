"""What this host's package manager says is installed. Changes nothing."""

from __future__ import annotations

from collections import Counter
from typing import List, Sequence, Set

from installer.agent.host import Completed, Host
from installer.resources.package_manager import APT, DNF, package_manager

_APT = ("dpkg-query", "-W", "-f", "${db:Status-Abbrev}${Package}\n")
_DNF = ("rpm", "-qa", "--qf", "ii %{NAME}\t%{ARCH}\n")
#: What dnf keeps several versions of, by what it provides: installonlypkgs of dnf.conf(5).
_SEVERAL = (
    *("kernel", "kernel-PAE", "multiversion(kernel)"),
    *("installonlypkg(kernel)", "installonlypkg(kernel-module)", "installonlypkg(vm)"),
)
#: So many lines of what went wrong are told.
_TOLD = 3
#: Its packages are keys: RPM has one for each.
_KEYS = "gpg-pubkey"


def packages(host: Host) -> List[str]:
    """Return a line per package: three letters for its state, as dpkg-query(1) has them (``ii ``), and its name."""
    return [line.partition("\t")[0] for line in _listed(host).out.splitlines()]


def problem(host: Host) -> str:
    """Return why the package manager cannot read its own records, in its words; nothing: it can."""
    listed = _listed(host)
    if listed.code == 0:
        return ""
    said = [line.strip() for line in listed.err.splitlines() if line.strip()]
    # What is wrong begins where it says so; dpkg wraps that line, and what rpm says further are consequences.
    begin = next((number for number, line in enumerate(said) if "error" in line.lower()), 0)
    words = " ".join(said[begin : begin + _TOLD])
    if listed.code == 127:
        return f"{listed.argv[0]} cannot be started"
    return words or f"{listed.argv[0]} ended with code {listed.code}"


def twice(host: Host) -> List[str]:
    """Return the names, with architecture, of RPMs that are installed in several versions and should not be."""
    if package_manager(host) != DNF:
        return []
    several = repeated([line[3:].replace("\t", ".") for line in _listed(host).out.splitlines()])
    if not several:
        return []
    wanted = "[%{=NAME}.%{=ARCH} %{PROVIDENAME}\n]"
    return without_kernels(several, host.run(["rpm", "-q", "--qf", wanted, *several], expect=None).out.splitlines())


def repeated(names: Sequence[str]) -> List[str]:
    """Return the names that come more than once, but for keys."""
    return sorted(name for name, times in Counter(names).items() if times > 1 and name.split(".")[0] != _KEYS)


def without_kernels(names: Sequence[str], provided: Sequence[str]) -> List[str]:
    """Return the names of which dnf does not keep several versions on purpose.

    Args:
        names: with architecture.
        provided: lines, each of a name and something that it provides.
    """
    kept: Set[str] = {line.split()[0] for line in provided if line.partition(" ")[2] in _SEVERAL}
    return [name for name in names if name not in kept]


def _listed(host: Host) -> Completed:
    asked = _APT if package_manager(host) == APT else _DNF
    return host.remember("probe: packages", lambda: host.run(list(asked), expect=None))
