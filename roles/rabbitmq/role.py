"""The message queue through which the parts of a service talk to each other."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from installer import confinement
from installer.addresses import address_of
from installer.cloud import Cloud, CloudHost
from installer.ports import PORTS, RABBITMQ_OWN
from installer.render import rendered_file
from installer.resources.base import Resource
from installer.resources.message_queue import QueueAccount
from installer.resources.package import Package
from installer.resources.unit import Unit
from installer.roles import Role

CONFIGURATION = "/etc/rabbitmq/rabbitmq.conf"
ENVIRONMENT = "/etc/rabbitmq/rabbitmq-env.conf"
LOOPBACK = "127.0.0.1"


class RabbitMQ(Role):
    """RabbitMQ on the queue host."""

    name = "rabbitmq"
    title = "Message queue (RabbitMQ)"
    groups = ("queue",)
    after_here = ("base",)

    def ports(self, cloud: Cloud, host: CloudHost) -> Mapping[int, tuple[str, ...]]:
        # systemd listens for the port mapper on Debian.
        mapper, between_nodes = RABBITMQ_OWN
        return {PORTS["rabbitmq"]: ("beam.smp",), mapper: ("epmd", "systemd"), between_nodes: ("beam.smp",)}

    def resources(self, cloud: Cloud, host: CloudHost) -> Iterable[Resource]:
        facts, address = self.facts(host), address_of(host)
        yield Package(facts["package"])
        yield from confinement.resources(facts, host)
        yield rendered_file(
            CONFIGURATION,
            "rabbitmq/rabbitmq.conf.j2",
            addresses=list(dict.fromkeys((address, LOOPBACK))),
            port=PORTS["rabbitmq"],
            group=facts["group"],
        )
        yield rendered_file(ENVIRONMENT, "rabbitmq/rabbitmq-env.conf.j2", group=facts["group"])
        yield Unit(facts["unit"], reads=(CONFIGURATION, ENVIRONMENT))
        yield QueueAccount(
            cloud.answers["CONFIG_AMQP_AUTH_USER"], cloud.answers["CONFIG_AMQP_AUTH_PASSWORD"], host=address
        )
        # RabbitMQ makes this one at its first start, with a password that everybody knows. It may log in from the
        # loopback only, so there alone it can be seen whether it is gone.
        yield QueueAccount("guest", host=LOOPBACK, absent=True)


ROLE = RabbitMQ()
