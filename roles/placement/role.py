"""The placement service, which counts what hosts have left for instances."""

from __future__ import annotations

from collections.abc import Iterable

from installer.cloud import Cloud, CloudHost
from installer.resources.base import Resource
from installer.roles import Role, Schema
from installer.urls import api_url, database_url
from roles import service

USER = "placement"
CONFIGURATION = "/etc/placement/placement.conf"
UNIT = "openstack-placement-api.service"


class Placement(Role):
    """Placement on the controller, for Nova, whose passwords it shares: a Packstack answer file has no others."""

    name = "placement"
    title = "Placement of instances (Placement)"
    groups = ("controller",)
    after = ("mariadb",)
    after_here = ("openstack", "memcached", "haproxy")
    units = (UNIT,)
    services = (USER,)

    def wanted(self, cloud: Cloud) -> bool:
        return bool(cloud.answers["CONFIG_NOVA_INSTALL"])

    def schemas(self, cloud: Cloud) -> Iterable[Schema]:
        return (schema_of(cloud),)

    def entities(self, cloud: Cloud) -> Iterable[Resource]:
        yield from service.cloud_user(cloud, USER, cloud.answers["CONFIG_NOVA_KS_PW"])
        yield from service.endpoints(
            cloud, "placement", "placement", api_url(cloud.answers, "placement"), "Placement of instances"
        )

    def resources(self, cloud: Cloud, host: CloudHost) -> Iterable[Resource]:
        yield from service.account(USER, "placement")
        yield service.configuration(
            cloud,
            USER,
            CONFIGURATION,
            "placement/placement.conf.j2",
            connection=database_url(
                USER, cloud.answers["CONFIG_NOVA_DB_PW"], cloud.answers["CONFIG_MARIADB_HOST"], "placement"
            ),
            password=cloud.answers["CONFIG_NOVA_KS_PW"],
        )
        yield from service.tables(cloud, host, schema_of(cloud), "placement", ("placement-manage", "db", "sync"))
        yield from service.api(
            cloud,
            host,
            USER,
            name="placement",
            unit=UNIT,
            module="placement.wsgi.api:application",
            reads=(CONFIGURATION,),
        )
        yield service.answering(cloud, "placement", UNIT)


def schema_of(cloud: Cloud) -> Schema:
    """Return Placement's database, and its account there."""
    return Schema(USER, cloud.answers["CONFIG_NOVA_DB_PW"], ("placement",))


ROLE = Placement()
