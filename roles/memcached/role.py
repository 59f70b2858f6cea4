"""The cache in which the services keep what they would else ask for again and again."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from installer.cloud import Cloud, CloudHost
from installer.ports import PORTS
from installer.render import rendered_file
from installer.resources.base import Resource
from installer.resources.package import Package
from installer.resources.unit import Unit
from installer.roles import Role

#: Every service that caches runs on the controller, beside memcached.
ADDRESS = "127.0.0.1"
MEGABYTES = 64
CONNECTIONS = 4096


class Memcached(Role):
    """Memcached on the controller."""

    name = "memcached"
    title = "Cache (memcached)"
    groups = ("controller",)
    after_here = ("base",)

    def ports(self, cloud: Cloud, host: CloudHost) -> Mapping[int, tuple[str, ...]]:
        return {PORTS["memcached"]: ("memcached",)}

    def resources(self, cloud: Cloud, host: CloudHost) -> Iterable[Resource]:
        facts = self.facts(host)
        yield Package(facts["package"])
        yield rendered_file(
            facts["configuration"],
            facts["template"],
            user=facts["user"],
            address=ADDRESS,
            port=PORTS["memcached"],
            megabytes=MEGABYTES,
            connections=CONNECTIONS,
            options=f"-l {ADDRESS}",
        )
        yield Unit(facts["unit"], reads=(facts["configuration"],))


ROLE = Memcached()
