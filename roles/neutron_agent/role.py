"""The network service, as far as hosts with instances have it: the agent that answers for their metadata."""

from __future__ import annotations

from collections.abc import Iterable

from installer.cloud import Cloud, CloudHost
from installer.ports import PORTS
from installer.resources.base import Resource
from installer.resources.package import Package
from installer.resources.unit import Unit
from installer.roles import Role
from roles import service
from roles.haproxy import role as haproxy
from roles.neutron.role import USER
from roles.openstack.role import home
from roles.ovn.role import ROLE as OVN
from roles.ovn.role import connection

CONFIGURATION = "/etc/neutron/ovn_agent.ini"
ROOTWRAP = "/etc/neutron/rootwrap.conf"
UNIT = "openstack-neutron-ovn-agent.service"


class NeutronAgent(Role):
    """Neutron's agent for OVN, which passes instances' questions for their metadata on to the compute service."""

    name = "neutron_agent"
    title = "Metadata of instances (Neutron)"
    groups = ("compute",)
    after = ("ovn",)
    after_here = ("openstack",)
    units = (UNIT,)
    services = (USER,)

    def wanted(self, cloud: Cloud) -> bool:
        return bool(cloud.answers["CONFIG_NEUTRON_INSTALL"])

    def resources(self, cloud: Cloud, host: CloudHost) -> Iterable[Resource]:
        yield from service.account(USER, "networks")
        yield from service.root_rights(cloud, USER)
        yield from _proxy(host)
        yield Package(self.facts(host)["packet_filter"])
        yield service.configuration(
            cloud,
            USER,
            CONFIGURATION,
            "neutron/ovn_agent.conf.j2",
            metadata_host=cloud.answers["CONFIG_CONTROLLER_HOST"],
            metadata_port=PORTS["nova-metadata"],
            metadata_secret=cloud.answers["CONFIG_NEUTRON_METADATA_PW"],
            root_helper=f"sudo {home(cloud)}/bin/neutron-rootwrap {ROOTWRAP}",
            northbound=connection(cloud, "ovn-northbound"),
            southbound=connection(cloud, "ovn-southbound"),
        )
        yield from service.daemon(
            cloud,
            USER,
            unit=UNIT,
            command=("neutron-ovn-agent", *service.arguments(USER, CONFIGURATION)),
            reads=(CONFIGURATION, ROOTWRAP),
            privileged=True,
            after=tuple(OVN.facts(host)["host_units"]),
        )


def _proxy(host: CloudHost) -> Iterable[Resource]:
    """Yield HAProxy, of which the agent starts one per network; where it does not serve, its own unit stays off."""
    facts = haproxy.ROLE.facts(host)
    yield Package(facts["package"])
    if not host.groups & set(haproxy.ROLE.groups):
        yield Unit(facts["unit"], enabled=False, active=False, packaged=True)


ROLE = NeutronAgent()
