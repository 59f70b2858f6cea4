"""The TCP ports of the cloud: the one place that HAProxy, preflight, the services and the documentation read."""

from __future__ import annotations

#: Service to the port on which users and other hosts reach it.
PORTS = {
    "keystone": 5000,
    "mariadb": 3306,
    "rabbitmq": 5672,
    "memcached": 11211,
}

#: Ports that RabbitMQ opens beside its own: Erlang's port mapper, and the one between nodes (5672 + 20000).
RABBITMQ_OWN = (4369, 25672)

#: The APIs, which HAProxy passes on to uwsgi. Role of the service by the API's name.
APIS = {"keystone": "keystone"}

#: uwsgi listens on 127.0.0.1 at the API's port and this number, so that HAProxy may listen on every address.
LOCAL_OFFSET = 10000


def local_port(api: str) -> int:
    """Return the port of 127.0.0.1 at which uwsgi serves an API; KeyError for one that is not in APIS."""
    return PORTS[api] + LOCAL_OFFSET
