"""Which package manager a host has. Others may lie about: Fedora has packages of apt and dpkg."""

from __future__ import annotations

from typing import List

from installer.agent.host import Host
from installer.resources.texts import text_of

APT, DNF = "apt", "dnf"


def package_manager(host: Host) -> str:
    """Return the package manager of this host, ``apt`` or ``dnf``, from os-release(5)."""
    return host.remember("package manager", lambda: of_distribution(text_of("/etc/os-release")))


def of_distribution(os_release: str) -> str:
    """Return ``dnf`` if os-release(5) says that this is Fedora, RHEL or a relative, else ``apt``."""
    names: List[str] = []
    for line in os_release.splitlines():
        key, _, value = line.partition("=")
        if key in ("ID", "ID_LIKE"):
            names += value.strip("\"'").split()
    return DNF if {"rhel", "fedora", "centos"} & set(names) else APT
