"""The identity service."""

from __future__ import annotations

from collections.abc import Iterable

from installer.cloud import Cloud, CloudHost
from installer.resources.base import Resource
from installer.resources.file import Directory, File
from installer.resources.key_repository import KeyRepository
from installer.resources.keystone import INTERFACES, Endpoint, Project
from installer.resources.keystone_bootstrap import Bootstrap
from installer.resources.secret import Secret
from installer.roles import Role, Schema
from installer.urls import api_url, database_url
from roles import service
from roles.openstack.role import home

USER = "keystone"
CONFIGURATION = "/etc/keystone/keystone.conf"
UNIT = "openstack-keystone.service"
KEYS = ("/etc/keystone/fernet-keys", "/etc/keystone/credential-keys")
#: Rows of its first migration: the root of all domains (27e647c0fad4, of 29.1.0 and 30.0.0).
SEEDED = (("project", 1),)


class Keystone(Role):
    """Keystone on the controller, behind HAProxy."""

    name = "keystone"
    title = "Identity (Keystone)"
    groups = ("controller",)
    after = ("mariadb",)
    after_here = ("openstack", "memcached", "haproxy")
    services = (USER,)

    def schemas(self, cloud: Cloud) -> Iterable[Schema]:
        return (schema_of(cloud),)

    def resources(self, cloud: Cloud, host: CloudHost) -> Iterable[Resource]:
        yield from service.account(USER, "identity")
        for folder in KEYS:
            yield Directory(folder, USER, USER, 0o700)
        yield _configuration(cloud)
        yield from service.tables(
            cloud, host, schema_of(cloud), "keystone", ("keystone-manage", "db_sync"), seeded=SEEDED
        )
        for folder in KEYS:
            yield KeyRepository(folder, USER)
        yield from _service(cloud, host)
        yield from _entities(cloud)


def _configuration(cloud: Cloud) -> File:
    return service.configuration(
        cloud,
        USER,
        CONFIGURATION,
        "keystone/keystone.conf.j2",
        public_endpoint=api_url(cloud.answers, "keystone"),
        connection=connection(cloud),
    )


def _service(cloud: Cloud, host: CloudHost) -> Iterable[Resource]:
    yield from service.api(
        cloud,
        host,
        USER,
        name="keystone",
        unit=UNIT,
        module="keystone.wsgi.api:application",
        reads=(CONFIGURATION,),
    )
    yield service.answering(cloud, "keystone", UNIT, "/v3")


def connection(cloud: Cloud) -> Secret:
    """Return the address of Keystone's database."""
    answers = cloud.answers
    return database_url(USER, answers["CONFIG_KEYSTONE_DB_PW"], answers["CONFIG_MARIADB_HOST"], "keystone")


def schema_of(cloud: Cloud) -> Schema:
    """Return Keystone's database, and its account there."""
    return Schema(USER, cloud.answers["CONFIG_KEYSTONE_DB_PW"], ("keystone",))


def _entities(cloud: Cloud) -> Iterable[Resource]:
    keystone, region = service.keystone(cloud), cloud.answers["CONFIG_KEYSTONE_REGION"]
    yield Bootstrap(keystone, region, f"{home(cloud)}/bin/python", USER)
    for interface in INTERFACES:
        yield Endpoint(keystone, "identity", interface, keystone.url, region)
    yield Project(keystone, service.PROJECT, description="Users of the services")


ROLE = Keystone()
