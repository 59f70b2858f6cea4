"""The volume service, as far as the controller has it: API and scheduler."""

from __future__ import annotations

from collections.abc import Iterable

from installer.cloud import Cloud, CloudHost
from installer.resources.base import Resource
from installer.roles import Role, Schema
from installer.urls import api_url
from roles import service
from roles.cinder import configuration
from roles.cinder.backends import USER

API = "openstack-cinder-api.service"
SCHEDULER = "openstack-cinder-scheduler.service"
PURGE = "openstack-cinder-db-purge"
#: How long what was deleted stays in the database, as with Packstack.
KEPT_DAYS = 30
#: Rows of the migrations: defaults of quotas and types, and a mark of the server's clock (921e1a36b076 and
#: 9c74c1c6971f, of 28.0.0 and 29.0.0).
SEEDED = (("quota_classes", 7), ("workers", 1), ("group_types", 1), ("group_type_specs", 1), ("volume_types", 1))


class Cinder(Role):
    """Cinder's API behind HAProxy, and its scheduler."""

    name = "cinder"
    title = "Volumes (Cinder)"
    groups = ("controller",)
    after = ("mariadb", "rabbitmq")
    after_here = ("openstack", "memcached", "haproxy")
    units = (API, SCHEDULER, f"{PURGE}.timer")
    services = (USER,)

    def wanted(self, cloud: Cloud) -> bool:
        return bool(cloud.answers["CONFIG_CINDER_INSTALL"])

    def schemas(self, cloud: Cloud) -> Iterable[Schema]:
        return (configuration.schema_of(cloud),)

    def entities(self, cloud: Cloud) -> Iterable[Resource]:
        yield from service.cloud_user(cloud, USER, cloud.answers["CONFIG_CINDER_KS_PW"])
        # The type by its official name; clients find it as volumev3 too. Projects need not be part of the address.
        yield from service.endpoints(cloud, "cinder", "block-storage", url(cloud), "Volumes")

    def resources(self, cloud: Cloud, host: CloudHost) -> Iterable[Resource]:
        yield from configuration.resources(cloud, host)
        yield from service.tables(
            cloud, host, configuration.schema_of(cloud), "cinder", ("cinder-manage", "db", "sync"), seeded=SEEDED
        )
        yield from service.units_last(self._units(cloud, host))
        yield service.answering(cloud, "cinder", API)

    def _units(self, cloud: Cloud, host: CloudHost) -> Iterable[Resource]:
        yield from service.api(
            cloud,
            host,
            USER,
            name="cinder",
            unit=API,
            module="cinder.wsgi.api:application",
            reads=(configuration.PATH,),
        )
        yield from service.daemon(
            cloud,
            USER,
            unit=SCHEDULER,
            command=("cinder-scheduler", *service.arguments(USER, configuration.PATH)),
            reads=(configuration.PATH,),
        )
        yield from service.daily(
            cloud,
            USER,
            unit=PURGE,
            command=("cinder-manage", "db", "purge", str(KEPT_DAYS)),
            wanted=bool(cloud.answers["CONFIG_CINDER_DB_PURGE_ENABLE"]),
        )


def url(cloud: Cloud) -> str:
    """Return the address of the volume API."""
    return api_url(cloud.answers, "cinder", "/v3")


ROLE = Cinder()
