"""What a run of Tempest has left in the cloud: found by comparing before with after, and removed."""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import Any

from keystoneauth1.exceptions import ClientException
from openstack.connection import Connection as Cloud
from openstack.exceptions import SDKException

from installer.verify.cleaning import remove_router

#: What the names of Tempest's own things begin with (its data_utils.rand_name and credentials_factory).
PREFIX = "tempest"
#: Seconds that an instance may take to go away.
PATIENCE = 120


@dataclass(frozen=True)
class Thing:
    """Something in the cloud: what it is, its id, its name and the id of its project; empty for none."""

    kind: str
    id: str
    name: str = ""
    project: str = ""

    def __str__(self) -> str:
        return f"{self.kind} {self.name or self.id}"


@dataclass(frozen=True)
class Kind:
    """A kind of thing: what it is called, its service, how all are listed, and how one is removed by its id."""

    name: str
    service: str
    # Of the SDK's proxies mypy only knows what all versions of an API have.
    listed: Callable[[Any], Iterable[Any]]
    remove: Callable[[Any, str], Any]


def _remove_server(cloud: Any, server: str) -> None:
    cloud.compute.delete_server(server)
    found = cloud.compute.find_server(server, all_projects=True)
    if found is not None:
        cloud.compute.wait_for_delete(found, wait=PATIENCE)


def _remove_domain(cloud: Any, domain: str) -> None:
    cloud.identity.update_domain(domain, is_enabled=False)
    cloud.identity.delete_domain(domain)


def _ports(cloud: Any) -> Iterable[Any]:
    # The network service's own come and go with networks and routers.
    return (port for port in cloud.network.ports() if not (port.device_owner or "").startswith("network:"))


#: In the order in which they can be removed.
KINDS = (
    Kind("server", "compute", lambda cloud: cloud.compute.servers(all_projects=True), _remove_server),
    Kind("server group", "compute", lambda cloud: cloud.compute.server_groups(all_projects=True),
         lambda cloud, id: cloud.compute.delete_server_group(id)),
    Kind("backup", "block-storage", lambda cloud: cloud.block_storage.backups(all_tenants=True),
         lambda cloud, id: cloud.block_storage.delete_backup(id)),
    Kind("snapshot", "block-storage", lambda cloud: cloud.block_storage.snapshots(all_projects=True),
         lambda cloud, id: cloud.block_storage.delete_snapshot(id)),
    Kind("volume", "block-storage", lambda cloud: cloud.block_storage.volumes(all_projects=True),
         lambda cloud, id: cloud.block_storage.delete_volume(id, force=True)),
    Kind("volume type", "block-storage", lambda cloud: cloud.block_storage.types(),
         lambda cloud, id: cloud.block_storage.delete_type(id)),
    Kind("image", "image", lambda cloud: cloud.image.images(), lambda cloud, id: cloud.image.delete_image(id)),
    Kind("flavor", "compute", lambda cloud: cloud.compute.flavors(is_public=None),
         lambda cloud, id: cloud.compute.delete_flavor(id)),
    Kind("floating address", "network", lambda cloud: cloud.network.ips(),
         lambda cloud, id: cloud.network.delete_ip(id)),
    Kind("trunk", "network", lambda cloud: cloud.network.trunks(), lambda cloud, id: cloud.network.delete_trunk(id)),
    Kind("router", "network", lambda cloud: cloud.network.routers(),
         lambda cloud, id: remove_router(cloud.network, id)),
    Kind("port", "network", _ports, lambda cloud, id: cloud.network.delete_port(id)),
    Kind("network", "network", lambda cloud: cloud.network.networks(),
         lambda cloud, id: cloud.network.delete_network(id)),
    Kind("subnet pool", "network", lambda cloud: cloud.network.subnet_pools(),
         lambda cloud, id: cloud.network.delete_subnet_pool(id)),
    Kind("security group", "network", lambda cloud: cloud.network.security_groups(),
         lambda cloud, id: cloud.network.delete_security_group(id)),
    Kind("qos policy", "network", lambda cloud: cloud.network.qos_policies(),
         lambda cloud, id: cloud.network.delete_qos_policy(id)),
    Kind("user", "identity", lambda cloud: cloud.identity.users(), lambda cloud, id: cloud.identity.delete_user(id)),
    Kind("group", "identity", lambda cloud: cloud.identity.groups(),
         lambda cloud, id: cloud.identity.delete_group(id)),
    Kind("project", "identity", lambda cloud: cloud.identity.projects(),
         lambda cloud, id: cloud.identity.delete_project(id)),
    Kind("role", "identity", lambda cloud: cloud.identity.roles(), lambda cloud, id: cloud.identity.delete_role(id)),
    Kind("domain", "identity", lambda cloud: cloud.identity.domains(), _remove_domain),
    Kind("endpoint", "identity", lambda cloud: cloud.identity.endpoints(),
         lambda cloud, id: cloud.identity.delete_endpoint(id)),
    Kind("service", "identity", lambda cloud: cloud.identity.services(),
         lambda cloud, id: cloud.identity.delete_service(id)),
    Kind("region", "identity", lambda cloud: cloud.identity.regions(),
         lambda cloud, id: cloud.identity.delete_region(id)),
)  # fmt: skip


def inventory(cloud: Cloud, services: Iterable[str]) -> list[Thing]:
    """Return everything in the cloud that Tempest could have made.

    Args:
        cloud: logged in to as the admin.
        services: types of the catalogue.

    Raises:
        openstack.exceptions.SDKException, keystoneauth1.exceptions.ClientException: a service does not answer.
    """
    there = frozenset(services)
    return [
        Thing(kind.name, one.id, getattr(one, "name", "") or "", _project(one))
        for kind in KINDS
        if kind.service in there
        for one in kind.listed(cloud)
    ]


def _project(one: Any) -> str:
    return getattr(one, "project_id", "") or getattr(one, "owner_id", "") or ""


def left(before: Sequence[Thing], after: Sequence[Thing]) -> list[Thing]:
    """Return what Tempest has left, in the order in which it can be removed.

    That is what is new and has a name of Tempest's, or belongs to a project of Tempest's or to one that is gone. What
    others have made meanwhile is none of it.
    """
    known = {(thing.kind, thing.id) for thing in before}
    new = [thing for thing in after if (thing.kind, thing.id) not in known]
    own = {thing.id for thing in new if thing.kind == "project" and thing.name.startswith(PREFIX)}
    others = {thing.id for thing in after if thing.kind == "project"} - own
    return [thing for thing in new if thing.name.startswith(PREFIX) or (thing.project and thing.project not in others)]


def remove(cloud: Cloud, things: Iterable[Thing]) -> None:
    """Remove things as far as that is possible; another look tells how far it was."""
    kinds = {kind.name: kind for kind in KINDS}
    for thing in things:
        with contextlib.suppress(SDKException, ClientException):
            kinds[thing.kind].remove(cloud, thing.id)
