"""The ports of the cloud: the one place that HAProxy, firewalls, preflight, services and the documentation read."""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

#: Service to the port on which users and other hosts reach it.
PORTS = {
    "keystone": 5000,
    "glance": 9292,
    "placement": 8778,
    "nova": 8774,
    "nova-metadata": 8775,
    "novnc": 6080,
    "neutron": 9696,
    "cinder": 8776,
    "horizon": 443,
    "heat": 8004,
    "heat-cfn": 8000,
    "mariadb": 3306,
    "rabbitmq": 5672,
    "memcached": 11211,
    "ovsdb": 6640,
    "ovn-northbound": 6641,
    "ovn-southbound": 6642,
    "iscsi": 3260,
}
#: UDP, between hosts with instances or gateways: RFC 8926.
GENEVE = 6081
#: Consoles of instances on hosts that run them; QEMU takes the first that is free.
CONSOLES = (5900, 6155)

#: Ports that RabbitMQ opens beside its own: Erlang's port mapper, and the one between nodes (5672 + 20000).
RABBITMQ_OWN = (4369, 25672)

#: What HAProxy ends TLS for. Role of the service by the API's name.
APIS = {
    "keystone": "keystone",
    "glance": "glance",
    "placement": "placement",
    "nova": "nova",
    "nova-metadata": "nova",
    "novnc": "nova",
    "neutron": "neutron",
    "cinder": "cinder",
    "horizon": "horizon",
    "heat": "heat",
    "heat-cfn": "heat_cfn",
}

#: Who types no https:// comes to this port, from which HAProxy sends him on. API to port.
REDIRECTED = {"horizon": 80}

#: A service listens on 127.0.0.1 at the API's port and this number, so that HAProxy may listen on every address.
LOCAL_OFFSET = 10000


#: Ports that users come to, and those that only the cloud's other hosts come to. The rest is used on its own host.
FOR_USERS = tuple(api for api in APIS if api != "nova-metadata")
FOR_HOSTS = ("nova-metadata", "mariadb", "rabbitmq", "ovn-northbound", "ovn-southbound", "iscsi")


class Opening(NamedTuple):
    """Ports of a host that are reached from other machines.

    Args:
        first: the first port.
        last: the last one.
        protocol: tcp or udp.
        users: whether anybody may come; else only the cloud's other hosts.
    """

    first: int
    last: int
    protocol: str
    users: bool

    @property
    def ports(self) -> str:
        """The ports as firewalls write them: ``5000``, ``5900-6155``."""
        return str(self.first) if self.first == self.last else f"{self.first}-{self.last}"

    @property
    def is_for_tunnels(self) -> bool:
        """Whether tunnels end here."""
        return (self.first, self.protocol) == (GENEVE, "udp")

    def __str__(self) -> str:
        return f"{self.ports}/{self.protocol}"


def openings(port: int) -> Iterator[Opening]:
    """Yield how a TCP port of the cloud is reached from other machines; nothing where it is not.

    Args:
        port: the port.
    """
    if port in {PORTS[name] for name in FOR_USERS} | set(REDIRECTED.values()):
        yield Opening(port, port, "tcp", users=True)
    elif port in {PORTS[name] for name in FOR_HOSTS}:
        yield Opening(port, port, "tcp", users=False)


def local_port(api: str) -> int:
    """Return the port of 127.0.0.1 at which a service serves an API; KeyError for one that is not in PORTS."""
    return PORTS[api] + LOCAL_OFFSET
