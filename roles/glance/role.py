"""The image service."""

from __future__ import annotations

from collections.abc import Iterable

from installer.cloud import Cloud, CloudHost
from installer.resources.base import Resource
from installer.resources.command import Command
from installer.resources.file import Directory
from installer.roles import Role, Schema
from installer.urls import api_url, database_url
from roles import service
from roles.ceph import client
from roles.openstack.role import home

USER = "glance"
CONFIGURATION = "/etc/glance/glance-api.conf"
UNIT = "openstack-glance-api.service"
#: Images, what is uploaded before it becomes one, and what an import works on.
IMAGES, STAGING, TASKS = (f"/var/lib/glance/{name}" for name in ("images", "staging", "tasks"))
#: As long as HAProxy waits: images come from whatever the client reads them from.
PATIENCE = 600


class Glance(Role):
    """Glance on the controller, which keeps images in files there."""

    name = "glance"
    title = "Images (Glance)"
    groups = ("controller",)
    after = ("mariadb",)
    after_here = ("openstack", "memcached", "haproxy")
    units = (UNIT,)
    services = (USER,)

    def wanted(self, cloud: Cloud) -> bool:
        return bool(cloud.answers["CONFIG_GLANCE_INSTALL"])

    def schemas(self, cloud: Cloud) -> Iterable[Schema]:
        return (schema_of(cloud),)

    def entities(self, cloud: Cloud) -> Iterable[Resource]:
        yield from service.cloud_user(cloud, USER, cloud.answers["CONFIG_GLANCE_KS_PW"])
        yield from service.endpoints(cloud, "glance", "image", api_url(cloud.answers, "glance"), "Images")

    def resources(self, cloud: Cloud, host: CloudHost) -> Iterable[Resource]:
        yield from service.account(USER, "images")
        for folder in (IMAGES, STAGING, TASKS):
            yield Directory(folder, USER, USER, 0o750)
        yield from service.from_release(cloud, USER, "glance-api-paste.ini")
        on_ceph = cloud.answers["CONFIG_GLANCE_BACKEND"] == "ceph"
        if on_ceph:
            user = str(cloud.answers["CONFIG_GLANCE_CEPH_USER"])
            yield from client.resources(cloud, host, USER, {user: cloud.answers["CONFIG_GLANCE_CEPH_KEY"]})
        yield service.configuration(
            cloud,
            USER,
            CONFIGURATION,
            "glance/glance-api.conf.j2",
            connection=database_url(
                USER, cloud.answers["CONFIG_GLANCE_DB_PW"], cloud.answers["CONFIG_MARIADB_HOST"], "glance"
            ),
            password=cloud.answers["CONFIG_GLANCE_KS_PW"],
            images=IMAGES,
            staging=STAGING,
            tasks=TASKS,
            # Images that were kept in files before stay where they are.
            stores=("file:file", "ceph:rbd") if on_ceph else ("file:file",),
            default="ceph" if on_ceph else "file",
            ceph=_ceph(cloud) if on_ceph else None,
        )
        yield from service.tables(cloud, host, schema_of(cloud), "glance", ("glance-manage", "db_sync"))
        yield from service.api(
            cloud,
            host,
            USER,
            name="glance",
            unit=UNIT,
            module="glance.wsgi.api:application",
            reads=(CONFIGURATION, *(client.reads(USER) if on_ceph else ())),
            patience=PATIENCE,
        )
        yield service.answering(cloud, "glance", UNIT)
        # What the dashboard offers where properties of images, flavors and volumes are set. Those that are there stay.
        yield Command(
            "glance-metadata-definitions",
            (f"{home(cloud)}/bin/glance-manage", "db_load_metadefs", f"{home(cloud)}/etc/glance/metadefs"),
            stamp=cloud.release,
            user=USER,
        )


def _ceph(cloud: Cloud) -> dict[str, str]:
    return {
        "pool": str(cloud.answers["CONFIG_GLANCE_CEPH_POOL"]),
        "user": str(cloud.answers["CONFIG_GLANCE_CEPH_USER"]),
        "configuration": client.configuration(USER),
    }


def schema_of(cloud: Cloud) -> Schema:
    """Return Glance's database, and its account there."""
    return Schema(USER, cloud.answers["CONFIG_GLANCE_DB_PW"], ("glance",))


ROLE = Glance()
