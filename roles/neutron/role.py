"""The network service, as far as the controller has it: API and workers."""

from __future__ import annotations

import ipaddress
from collections.abc import Iterable
from typing import Any

from installer import peers
from installer.cloud import Cloud, CloudHost
from installer.resources.base import Resource
from installer.resources.file import Directory
from installer.resources.unit import Unit
from installer.roles import Role, Schema
from installer.sizing import workers
from installer.urls import api_url, database_url
from roles import service
from roles.openvswitch import wiring
from roles.ovn.role import connection

USER = "neutron"
CONFIGURATION = "/etc/neutron/neutron.conf"
#: The API looks for it by itself, at this path.
ML2 = "/etc/neutron/plugins/ml2/ml2_conf.ini"
API = "openstack-neutron-api.service"
RPC_SERVER = "openstack-neutron-rpc-server.service"
#: Workers by their unit: what is done from time to time, and what puts OVN's databases right.
WORKERS = {
    "openstack-neutron-periodic-workers.service": "neutron-periodic-workers",
    "openstack-neutron-ovn-maintenance-worker.service": "neutron-ovn-maintenance-worker",
}
#: Rows of a migration: the rules of a new security group (c33da356b165, of 28.0.2 and 29.0.0).
SEEDED = (("standardattributes", 4), ("securitygroupdefaultrules", 4))


class Neutron(Role):
    """Neutron's API behind HAProxy, and its workers."""

    name = "neutron"
    title = "Networks (Neutron)"
    groups = ("controller",)
    after = ("mariadb", "rabbitmq")
    after_here = ("openstack", "memcached", "haproxy", "ovn")
    units = (API, RPC_SERVER, *WORKERS)
    services = (USER,)

    def wanted(self, cloud: Cloud) -> bool:
        return bool(cloud.answers["CONFIG_NEUTRON_INSTALL"])

    def schemas(self, cloud: Cloud) -> Iterable[Schema]:
        return (schema_of(cloud),)

    def entities(self, cloud: Cloud) -> Iterable[Resource]:
        yield from service.cloud_user(cloud, USER, cloud.answers["CONFIG_NEUTRON_KS_PW"])
        yield from service.endpoints(cloud, "neutron", "network", api_url(cloud.answers, "neutron"), "Networks")

    def resources(self, cloud: Cloud, host: CloudHost) -> Iterable[Resource]:
        yield from service.account(USER, "networks")
        yield from service.from_release(cloud, USER, "api-paste.ini")
        yield from _configuration(cloud, host)
        reads = (CONFIGURATION, ML2)
        command = ("neutron-db-manage", *service.arguments(USER, *reads), "upgrade", "head")
        yield from service.tables(cloud, host, schema_of(cloud), "neutron", command, seeded=SEEDED)
        yield from service.units_last(_services(cloud, host, reads))
        yield service.answering(cloud, "neutron", API)


def _services(cloud: Cloud, host: CloudHost, reads: tuple[str, ...]) -> Iterable[Resource]:
    yield from service.api(
        cloud,
        host,
        USER,
        name="neutron",
        unit=API,
        module="neutron.wsgi.api:application",
        reads=reads,
        template="neutron/api.uwsgi.ini.j2",
    )
    daemons = dict(WORKERS)
    if has_agents(cloud):
        daemons[RPC_SERVER] = "neutron-rpc-server"
    else:
        yield Unit(RPC_SERVER, enabled=False, active=False)
    for unit, program in daemons.items():
        command = (program, *service.arguments(USER, *reads))
        yield from service.daemon(cloud, USER, unit=unit, command=command, reads=reads)


def has_agents(cloud: Cloud) -> bool:
    """Tell whether a driver has agents that talk to Neutron over the message queue; OVN's talk to OVN only."""
    return set(cloud.answers["CONFIG_NEUTRON_ML2_MECHANISM_DRIVERS"]) != {"ovn"}


def _configuration(cloud: Cloud, host: CloudHost) -> Iterable[Resource]:
    answers = cloud.answers
    number = workers(cloud, host)
    yield service.configuration(
        cloud,
        USER,
        CONFIGURATION,
        "neutron/neutron.conf.j2",
        transport_url=service.transport_url(cloud),
        nova=answers["CONFIG_NOVA_INSTALL"],
        # Later releases ask uwsgi.
        api_workers=number if cloud.release == "2026.1" else None,
        rpc_workers=number if has_agents(cloud) else None,
        connection=database_url(USER, answers["CONFIG_NEUTRON_DB_PW"], answers["CONFIG_MARIADB_HOST"], "neutron"),
        password=answers["CONFIG_NEUTRON_KS_PW"],
    )
    for folder in ("/etc/neutron/plugins", "/etc/neutron/plugins/ml2"):
        yield Directory(folder, "root", USER, 0o750)
    yield service.configuration(cloud, USER, ML2, "neutron/ml2.conf.j2", **networks(cloud))


def networks(cloud: Cloud) -> dict[str, Any]:
    """Return which networks there may be, as the template of ML2 names it; empty where a kind is not asked for."""
    answers = cloud.answers
    kinds = [str(kind) for kind in answers["CONFIG_NEUTRON_ML2_TYPE_DRIVERS"]]
    numbers = answers["CONFIG_NEUTRON_ML2_VNI_RANGES"]
    chassis = wiring.chassis(cloud)
    physical = dict.fromkeys(network for host in chassis for network, _ in wiring.bridge_mappings(cloud, host))
    tunnels = {ipaddress.ip_address(wiring.tunnel_address(cloud, host)).version for host in chassis}
    return {
        "type_drivers": kinds,
        "project_types": answers["CONFIG_NEUTRON_ML2_TENANT_NETWORK_TYPES"],
        "mechanism_drivers": answers["CONFIG_NEUTRON_ML2_MECHANISM_DRIVERS"],
        "path_mtu": peers.smallest_tunnel_mtu(cloud),
        "overlay_ip_version": 6 if tunnels == {6} else None,
        "flat_networks": answers["CONFIG_NEUTRON_ML2_FLAT_NETWORKS"] if "flat" in kinds else (),
        "vlan_ranges": (answers["CONFIG_NEUTRON_ML2_VLAN_RANGES"] or tuple(physical)) if "vlan" in kinds else (),
        "geneve_ranges": numbers if "geneve" in kinds else (),
        "vxlan_ranges": numbers if "vxlan" in kinds else (),
        "vxlan_group": answers["CONFIG_NEUTRON_ML2_VXLAN_GROUP"],
        "gre_ranges": answers["CONFIG_NEUTRON_ML2_TUNNEL_ID_RANGES"] if "gre" in kinds else (),
        "northbound": connection(cloud, "ovn-northbound"),
        "southbound": connection(cloud, "ovn-southbound"),
    }


def schema_of(cloud: Cloud) -> Schema:
    """Return Neutron's database, and its account there."""
    return Schema(USER, cloud.answers["CONFIG_NEUTRON_DB_PW"], ("neutron",))


ROLE = Neutron()
