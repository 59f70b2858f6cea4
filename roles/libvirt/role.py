"""libvirt and QEMU, which run the instances of a host."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path

from installer import confinement
from installer.cloud import Cloud, CloudHost
from installer.resources.account import Group
from installer.resources.base import Resource
from installer.resources.built_module import BuiltModule
from installer.resources.distribution_module import DistributionModule
from installer.resources.package import Package
from installer.resources.unit import Unit
from installer.roles import Role, of_host
from roles.openstack import modules
from roles.openstack.role import home, site_packages

MODULE, DISTRIBUTION = "libvirt", "libvirt-python"
#: Who is in it may ask libvirt for anything. The packages make it too; it must be there before their accounts are.
GROUP = "libvirt"


class Libvirt(Role):
    """libvirt on every host that runs instances, and its Python module for nova-compute."""

    name = "libvirt"
    title = "Virtual machines (libvirt)"
    groups = ("compute",)
    after_here = ("openstack",)

    def wanted(self, cloud: Cloud) -> bool:
        return bool(cloud.answers["CONFIG_NOVA_INSTALL"])

    def resources(self, cloud: Cloud, host: CloudHost) -> Iterable[Resource]:
        facts = self.facts(host)
        yield from confinement.resources(facts, host)
        yield Group(GROUP)
        for package in facts["packages"]:
            yield Package(package)
        for unit in facts["units"]:
            yield Unit(unit)
        yield from module(cloud, host)

    def from_index(self, cloud: Cloud, host: CloudHost) -> Iterable[BuiltModule]:
        made = built(cloud, host)
        return (made,) if made else ()

    def blobs(self, cloud: Cloud) -> Mapping[str, Path]:
        return modules.blobs(DISTRIBUTION) if any(built(cloud, host) for host in cloud.group("compute")) else {}


def module(cloud: Cloud, host: CloudHost) -> Iterator[Resource]:
    """Yield what makes libvirt's Python module known to OpenStack: the distribution's, or one that is built."""
    facts = ROLE.facts(host)
    made = built(cloud, host)
    # The package index has its source only, which takes a compiler: the distribution's does wherever it fits.
    for package in facts["build_packages"] if made else facts["module_packages"]:
        yield Package(package)
    if made:
        yield made
    folder = made.path if made else facts["modules"]
    files = ("libvirt*.py", "libvirtmod*.so")
    yield DistributionModule(MODULE, folder, files, home(cloud), site_packages(cloud, host))


def is_built(cloud: Cloud, host: CloudHost) -> bool:
    """Tell whether a host builds the module."""
    return "build_packages" in ROLE.facts(host) and ROLE in of_host([ROLE], cloud, host)


def built(cloud: Cloud, host: CloudHost) -> BuiltModule | None:
    """Return the module that is built on a host; None where the distribution's fits OpenStack's Python."""
    packages = ROLE.facts(host).get("build_packages")
    return modules.built(cloud, host, MODULE, DISTRIBUTION, packages) if packages else None


ROLE = Libvirt()
