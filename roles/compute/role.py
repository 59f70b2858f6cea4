"""The compute service, as far as hosts that run instances have it: nova-compute."""

from __future__ import annotations

from collections.abc import Iterable

from installer.cloud import Cloud, CloudHost
from installer.ports import CONSOLES, Opening
from installer.resources.base import Resource
from installer.resources.compute_service import ComputeService
from installer.resources.file import Directory
from installer.roles import Role
from roles import service
from roles.cinder import backends
from roles.libvirt import role as libvirt
from roles.nova import configuration
from roles.nova.configuration import COMPUTE, USER
from roles.nova.role import url
from roles.openstack import modules

UNIT = "openstack-nova-compute.service"
INSTANCES = "/var/lib/nova/instances"


class Compute(Role):
    """nova-compute on every host that runs instances."""

    name = "compute"
    title = "Hosts of instances (nova-compute)"
    groups = ("compute",)
    after = ("nova", "placement", "catalogue")
    after_here = ("openstack", "tls", "libvirt")
    units = (UNIT,)
    services = (USER,)

    def wanted(self, cloud: Cloud) -> bool:
        return bool(cloud.answers["CONFIG_NOVA_INSTALL"])

    def openings(self, cloud: Cloud, host: CloudHost) -> Iterable[Opening]:
        yield Opening(*CONSOLES, "tcp", users=False)

    def resources(self, cloud: Cloud, host: CloudHost) -> Iterable[Resource]:
        yield from configuration.account(host)
        yield Directory(INSTANCES, USER, USER, 0o755)
        yield from service.root_rights(cloud, USER)
        if cloud.answers["CONFIG_CINDER_INSTALL"]:
            yield from backends.at_compute(cloud, host)
        yield configuration.compute(cloud, host)
        yield from service.daemon(
            cloud,
            USER,
            unit=UNIT,
            command=("nova-compute", *service.arguments(USER, COMPUTE)),
            reads=(COMPUTE, *modules.reads(libvirt.built(cloud, host))),
            privileged=True,
            after=tuple(libvirt.ROLE.facts(host)["after"]),
        )
        yield ComputeService(service.keystone(cloud), url(cloud), name_of(host), UNIT)


def name_of(host: CloudHost) -> str:
    """Return the name by which Nova knows a compute host: the one that its kernel has."""
    return str(host.facts.get("hostname", host.address))


ROLE = Compute()
