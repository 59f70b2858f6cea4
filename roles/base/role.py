"""What every host needs before anything else: the names of its neighbours, package sources, pystack's folder."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from installer.addresses import address_of
from installer.cloud import GROUPS, Cloud, CloudHost
from installer.resources.base import Resource
from installer.resources.file import Directory
from installer.resources.host_entry import HostEntry
from installer.resources.package import Package
from installer.roles import Role


class Base(Role):
    """Names and package sources on every host."""

    name = "base"
    title = "Names and package sources"
    groups = GROUPS
    before_packages = True

    def resources(self, cloud: Cloud, host: CloudHost) -> Iterable[Resource]:
        facts = self.facts(host)
        yield Directory("/etc/pystack")
        yield from entries(cloud)
        for package in facts.get("first", ()):
            yield Package(package)


def entries(cloud: Cloud) -> Iterator[HostEntry]:
    """Yield the names of all hosts of a cloud, each name once; a host that calls itself localhost has none."""
    taken: set[str] = set()
    for host in cloud.hosts:
        address = address_of(host)
        own = [host.address, host.facts.get("fqdn", ""), host.facts.get("hostname", "")]
        names = [name for name in dict.fromkeys(own) if _is_name(name) and name not in taken]
        taken.update(names)
        if names and address != "127.0.0.1":
            yield HostEntry(address, tuple(names))


def _is_name(text: str) -> bool:
    is_address = ":" in text or text.replace(".", "").isdigit()
    return bool(text) and not is_address and not text.startswith("localhost")


ROLE = Base()
