"""libvirt and QEMU, which run the instances of a host."""

from __future__ import annotations

from collections.abc import Iterable

from installer.cloud import Cloud, CloudHost
from installer.resources.account import Group
from installer.resources.base import Resource
from installer.resources.distribution_module import DistributionModule
from installer.resources.package import Package
from installer.resources.unit import Unit
from installer.roles import Role
from roles.openstack.role import home, site_packages

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
        yield Group(GROUP)
        for package in facts["packages"]:
            yield Package(package)
        for unit in facts["units"]:
            yield Unit(unit)
        # The package index has its source only, which would need a compiler on every host.
        yield DistributionModule(
            "libvirt", facts["modules"], ("libvirt*.py", "libvirtmod*.so"), home(cloud), site_packages(cloud, host)
        )


ROLE = Libvirt()
