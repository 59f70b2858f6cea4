"""The TCP ports of the cloud: the one place that HAProxy, preflight, the services and the documentation read."""

from __future__ import annotations

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
}

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


def local_port(api: str) -> int:
    """Return the port of 127.0.0.1 at which a service serves an API; KeyError for one that is not in PORTS."""
    return PORTS[api] + LOCAL_OFFSET
