"""What Neutron keeps: networks, their subnets, routers, and rules of security groups.

What is there by name is used as it is; nothing that others made or changed is ever changed back or deleted.
"""

from __future__ import annotations

import dataclasses
from typing import Any, ClassVar, Dict, List, Optional, Sequence, Tuple

from installer.agent.host import Host
from installer.resources.base import Actual, CannotFix, Resource, State
from installer.resources.json_api import Entity
from installer.resources.keystone_api import KeystoneApi
from installer.resources.service_api import KeptByService, ServiceClient, project_id


@dataclasses.dataclass(frozen=True)
class Network(KeptByService, Resource):
    """A network.

    Args:
        keystone: where Keystone is, and its administrator.
        url: address of the network API, with its version.
        network: its name.
        project: name of the project that it belongs to.
        external: routers may have their way to the outside through it.
        physical_network: the physical network that it is, if it is one; Neutron chooses otherwise.
        type: kind of that network, such as ``flat``.
    """

    kind: ClassVar[str] = "network"

    keystone: KeystoneApi
    url: str
    network: str
    project: str
    external: bool = False
    physical_network: str = ""
    type: str = "flat"

    @property
    def name(self) -> str:
        return self.network

    def expected(self) -> State:
        return {"external": self.external}

    def state(self, client: ServiceClient) -> Actual:
        found = _named(client, "networks", self.network, self.project)
        return None if found is None else {"external": found["router:external"]}

    def settle(self, client: ServiceClient, host: Host) -> None:
        if _named(client, "networks", self.network, self.project):
            raise CannotFix(f"there is a network {self.network} that is no external one, or only one; rename it")
        values = {
            "name": self.network,
            "project_id": project_id(client, self.project),
            "router:external": self.external,
        }
        if self.physical_network:
            values["provider:network_type"] = self.type
            values["provider:physical_network"] = self.physical_network
        client.post("/networks", {"network": values})


@dataclasses.dataclass(frozen=True)
class Subnet(KeptByService, Resource):
    """A subnet of a network.

    Args:
        keystone: where Keystone is, and its administrator.
        url: address of the network API, with its version.
        subnet: its name.
        network: name of its network.
        project: name of the project that both belong to.
        cidr: its addresses, such as ``192.0.2.0/24``.
        gateway: address of the router; None takes the first.
        pools: first and last address of each part to give out; none means all that are left.
        dhcp: whether instances get their addresses by DHCP.
        name_servers: addresses of name servers that they are told.
    """

    kind: ClassVar[str] = "subnet"

    keystone: KeystoneApi
    url: str
    subnet: str
    network: str
    project: str
    cidr: str
    gateway: Optional[str] = None
    pools: Tuple[Tuple[str, str], ...] = ()
    dhcp: bool = True
    name_servers: Tuple[str, ...] = ()

    @property
    def name(self) -> str:
        return self.subnet

    def expected(self) -> State:
        return {"network": self.network, "addresses": self.cidr}

    def state(self, client: ServiceClient) -> Actual:
        found = _named(client, "subnets", self.subnet, self.project)
        if found is None:
            return None
        return {"network": _name_of(client, "networks", found["network_id"]), "addresses": found["cidr"]}

    def settle(self, client: ServiceClient, host: Host) -> None:
        if _named(client, "subnets", self.subnet, self.project):
            raise CannotFix(f"there is a subnet {self.subnet} with other addresses or of another network; rename it")
        network = _there(_named(client, "networks", self.network, self.project), "network", self.network)
        values: Dict[str, Any] = {
            "name": self.subnet,
            "network_id": network["id"],
            "project_id": network["project_id"],
            "cidr": self.cidr,
            "ip_version": 6 if ":" in self.cidr else 4,
            "enable_dhcp": self.dhcp,
            "dns_nameservers": list(self.name_servers),
        }
        if self.gateway is not None:
            values["gateway_ip"] = self.gateway
        if self.pools:
            values["allocation_pools"] = [{"start": first, "end": last} for first, last in self.pools]
        client.post("/subnets", {"subnet": values})


@dataclasses.dataclass(frozen=True)
class Router(KeptByService, Resource):
    """A router between subnets of a project and an external network.

    Args:
        keystone: where Keystone is, and its administrator.
        url: address of the network API, with its version.
        router: its name.
        project: name of the project that it and the subnets belong to.
        external: name of the external network.
        subnets: names of the subnets.
    """

    kind: ClassVar[str] = "router"

    keystone: KeystoneApi
    url: str
    router: str
    project: str
    external: str
    subnets: Tuple[str, ...]

    @property
    def name(self) -> str:
        return self.router

    def expected(self) -> State:
        return {"outside": self.external, "subnets": sorted(self.subnets)}

    def state(self, client: ServiceClient) -> Actual:
        found = _named(client, "routers", self.router, self.project)
        if found is None:
            return None
        gateway = found.get("external_gateway_info") or {}
        names = [_name_of(client, "subnets", subnet) for subnet in self._connected(client, found)]
        return {
            "outside": _name_of(client, "networks", gateway.get("network_id", "")),
            "subnets": sorted(set(names) & set(self.subnets)),
        }

    def settle(self, client: ServiceClient, host: Host) -> None:
        outside = next((one for one in client.list("/networks") if one["name"] == self.external), None)
        gateway = {"external_gateway_info": {"network_id": _there(outside, "network", self.external)["id"]}}
        found = _named(client, "routers", self.router, self.project)
        if found is None:
            values = {"name": self.router, "project_id": project_id(client, self.project), **gateway}
            found = client.post("/routers", {"router": values})["router"]
        elif not found.get("external_gateway_info"):
            client.put(f"/routers/{found['id']}", {"router": gateway})
        connected = self._connected(client, found)
        for name in self.subnets:
            subnet = _there(_named(client, "subnets", name, self.project), "subnet", name)
            if subnet["id"] not in connected:
                client.put(f"/routers/{found['id']}/add_router_interface", {"subnet_id": subnet["id"]})

    def _connected(self, client: ServiceClient, found: Entity) -> List[str]:
        ports = client.list("/ports?device_owner=network:router_interface")
        own = [port for port in ports if port["device_id"] == found["id"]]
        return [address["subnet_id"] for port in own for address in port["fixed_ips"]]


@dataclasses.dataclass(frozen=True)
class SecurityGroupRule(KeptByService, Resource):
    """A rule by which everybody may come in, in a security group of a project.

    Args:
        keystone: where Keystone is, and its administrator.
        url: address of the network API, with its version.
        project: name of the project.
        protocol: ``icmp``, ``tcp`` or ``udp``.
        port: the one port, for the last two.
        group: name of the group, such as ``default``, which every project has.
    """

    kind: ClassVar[str] = "security-group-rule"

    keystone: KeystoneApi
    url: str
    project: str
    protocol: str
    port: Optional[int] = None
    group: str = "default"

    @property
    def name(self) -> str:
        what = self.protocol if self.port is None else f"{self.protocol} {self.port}"
        return f"{what} into {self.group} of {self.project}"

    def expected(self) -> State:
        return {"from": "everywhere"}

    def state(self, client: ServiceClient) -> Actual:
        group = self._group(client, "/security-groups")
        return self.expected() if group and self._has(group["security_group_rules"]) else None

    def settle(self, client: ServiceClient, host: Host) -> None:
        # Neutron makes a project's default group when it is asked for the project's groups.
        own = f"/security-groups?project_id={project_id(client, self.project)}"
        group = _there(self._group(client, own), "security group", self.group)
        values: Dict[str, Any] = {
            "security_group_id": group["id"],
            "project_id": group["project_id"],
            "direction": "ingress",
            "ethertype": "IPv4",
            "protocol": self.protocol,
        }
        if self.port is not None:
            values.update(port_range_min=self.port, port_range_max=self.port)
        client.post("/security-group-rules", {"security_group_rule": values})

    def _group(self, client: ServiceClient, path: str) -> Optional[Entity]:
        project = client.identity.find("projects", name=self.project, domain_id="default")
        if project is None:
            return None
        own = (self.group, project["id"])
        return next((one for one in client.list(path) if (one["name"], one["project_id"]) == own), None)

    def _has(self, rules: Sequence[Entity]) -> bool:
        everywhere = (None, "0.0.0.0/0")
        return any(
            rule["direction"] == "ingress"
            and rule["ethertype"] == "IPv4"
            and rule["protocol"] == self.protocol
            and (rule["port_range_min"], rule["port_range_max"]) == (self.port, self.port)
            and rule["remote_ip_prefix"] in everywhere
            and rule["remote_group_id"] is None
            for rule in rules
        )


def _named(client: ServiceClient, collection: str, name: str, project: str) -> Optional[Entity]:
    found = client.identity.find("projects", name=project, domain_id="default")
    if found is None:
        return None
    of_project = [one for one in client.list(f"/{collection}") if one["project_id"] == found["id"]]
    return next((one for one in of_project if one["name"] == name), None)


def _name_of(client: ServiceClient, collection: str, entity_id: str) -> Optional[str]:
    return next((str(one["name"]) for one in client.list(f"/{collection}") if one["id"] == entity_id), None)


def _there(entity: Optional[Entity], kind: str, name: str) -> Entity:
    if entity is None:
        raise CannotFix(f"neutron has no {kind} {name}")
    return entity
