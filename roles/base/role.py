"""What every host needs before anything else: names that lead where they should, package sources, pystack's folder."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from installer import confinement
from installer.addresses import address_of
from installer.cloud import GROUPS, Cloud, CloudHost
from installer.resources.base import Resource
from installer.resources.file import Directory
from installer.resources.host_entry import HostEntry
from installer.resources.package import Package
from installer.resources.repository import Repository
from installer.roles import Role
from roles.ceph import client

#: Hosts that the others connect to, perhaps by name. Those that run instances or keep volumes learn from the queue what
#: to do, and find each other by address: a further one is nothing that the others must know.
SERVING = ("controller", "database", "queue")


class Base(Role):
    """Names and package sources on every host."""

    name = "base"
    title = "Names and package sources"
    groups = GROUPS
    before_packages = True

    def resources(self, cloud: Cloud, host: CloudHost) -> Iterable[Resource]:
        facts = self.facts(host)
        yield Directory("/etc/pystack")
        yield from entries(cloud, host)
        if cloud.answers["CONFIG_ENABLE_REPOSITORIES"]:
            yield from repositories(facts, host)
        if confinement.is_confined(host):
            yield Package(facts["policy_tools"])
        if cloud.answers["CONFIG_ENABLE_REPOSITORIES"]:
            for package in (*facts["sources"], *client.sources(cloud, host)):
                yield Package(package, brings_repositories=True)
        for package in facts["python"]:
            yield Package(package)


def repositories(facts: Mapping[str, Any], host: CloudHost) -> Iterator[Repository]:
    """Yield the repositories of the distribution that are off by themselves."""
    for entry in facts["repositories"]:
        subscription = entry["subscription"].format(architecture=host.facts.get("architecture", "x86_64"))
        yield Repository(entry["name"], subscription)


def entries(cloud: Cloud, host: CloudHost) -> Iterator[HostEntry]:
    """Yield the names that a host must know, each name once: its own, and those of the hosts that it connects to.

    A host that calls itself localhost has none.
    """
    taken: set[str] = set()
    for other in cloud.hosts:
        address = address_of(other)
        own = [other.address, other.facts.get("fqdn", ""), other.facts.get("hostname", "")]
        names = [name for name in dict.fromkeys(own) if _is_name(name) and name not in taken]
        taken.update(names)
        known = other is host or other.groups & set(SERVING)
        if names and known and address != "127.0.0.1":
            yield HostEntry(address, tuple(names))


def _is_name(text: str) -> bool:
    is_address = ":" in text or text.replace(".", "").isdigit()
    return bool(text) and not is_address and not text.startswith("localhost")


ROLE = Base()
