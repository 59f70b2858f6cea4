"""The identity service."""

from __future__ import annotations

from collections.abc import Iterable

from installer.cloud import Cloud, CloudHost
from installer.errors import AnswerFileError
from installer.ports import PORTS, local_port
from installer.render import rendered_file
from installer.resources.account import Group, User
from installer.resources.answering import Answering
from installer.resources.base import Resource
from installer.resources.command import Command
from installer.resources.database_schema import DatabaseSchema
from installer.resources.file import Directory
from installer.resources.keystone import INTERFACES, Endpoint, Project
from installer.resources.keystone_api import KeystoneApi
from installer.resources.keystone_bootstrap import Bootstrap
from installer.resources.secret import Secret
from installer.resources.unit import Unit
from installer.roles import Role, Schema
from installer.sizing import THREADS, workers
from installer.urls import database_url, identity_url
from roles.mariadb import role as mariadb
from roles.memcached.role import ADDRESS
from roles.openstack.role import ENVIRONMENT, home, stamp

USER = "keystone"
CONFIGURATION = "/etc/keystone/keystone.conf"
SERVER = "/etc/pystack/uwsgi/keystone.ini"
UNIT = "openstack-keystone.service"
UNIT_FILE = f"/etc/systemd/system/{UNIT}"
KEYS = {"fernet": "/etc/keystone/fernet-keys", "credential": "/etc/keystone/credential-keys"}


class Keystone(Role):
    """Keystone on the controller, behind HAProxy."""

    name = "keystone"
    title = "Identity (Keystone)"
    groups = ("controller",)
    after = ("mariadb",)
    after_here = ("openstack", "memcached", "haproxy")

    def schemas(self, cloud: Cloud) -> Iterable[Schema]:
        return (schema_of(cloud),)

    def resources(self, cloud: Cloud, host: CloudHost) -> Iterable[Resource]:
        yield from self._account(host)
        yield from _configuration(cloud)
        yield from mariadb.client(host)
        for database in schema_of(cloud).databases:
            yield DatabaseSchema(
                database,
                (f"{home(cloud)}/bin/keystone-manage", "db_sync"),
                account=USER,
                release=cloud.release,
                server=mariadb.server(cloud, host, schema_of(cloud)),
                seeded=("project",),  # the root of all domains
            )
        for name, folder in KEYS.items():
            yield Command(
                f"keystone-{name}-keys",
                (
                    f"{home(cloud)}/bin/keystone-manage",
                    f"{name}_setup",
                    "--keystone-user",
                    USER,
                    "--keystone-group",
                    USER,
                ),
                creates=f"{folder}/0",
                user=USER,
            )
        yield from _service(cloud, host)
        yield from _entities(cloud)

    def _account(self, host: CloudHost) -> Iterable[Resource]:
        number = self.facts(host)["id"]
        yield Group(USER, preferred_gid=number)
        yield User(USER, USER, preferred_uid=number, home=f"/var/lib/{USER}", comment="OpenStack identity")
        yield Directory(f"/var/lib/{USER}", USER, USER, 0o750)
        yield Directory("/etc/keystone", "root", USER, 0o750)
        for folder in KEYS.values():
            yield Directory(folder, USER, USER, 0o700)


def _configuration(cloud: Cloud) -> Iterable[Resource]:
    answers = cloud.answers
    yield rendered_file(
        CONFIGURATION,
        "keystone/keystone.conf.j2",
        group=USER,
        mode=0o640,
        public_endpoint=identity_url(answers).removesuffix("/v3"),
        debug=answers["CONFIG_DEBUG_MODE"],
        connection=connection(cloud),
        memcached=f"{ADDRESS}:{PORTS['memcached']}",
    )


def _service(cloud: Cloud, host: CloudHost) -> Iterable[Resource]:
    yield Directory("/etc/pystack/uwsgi")
    yield rendered_file(
        SERVER,
        "common/api.uwsgi.ini.j2",
        name="keystone",
        port=local_port("keystone"),
        module="keystone.wsgi.api:application",
        home=home(cloud),
        processes=workers(cloud, host),
        threads=THREADS,
    )
    yield rendered_file(UNIT_FILE, "common/api.service.j2", name="keystone", user=USER, home=home(cloud), ini=SERVER)
    yield Unit(UNIT, reads=(CONFIGURATION, SERVER, UNIT_FILE, ENVIRONMENT, stamp(cloud)))
    yield Answering("keystone", url=identity_url(cloud.answers), unit=UNIT)


def connection(cloud: Cloud) -> Secret:
    """Return the address of Keystone's database.

    Raises:
        AnswerFileError: a password with which Keystone of this release cannot make its tables.
    """
    answers = cloud.answers
    url = database_url(USER, answers["CONFIG_KEYSTONE_DB_PW"], answers["CONFIG_MARIADB_HOST"], "keystone")
    # Its db_sync hands the address to configparser, to which % is special (29.1.0: common/sql/upgrades.py, line 80;
    # 30.0.0 doubles it first).
    if cloud.release == "2026.1" and "%" in url.reveal():
        raise AnswerFileError(
            "CONFIG_KEYSTONE_DB_PW holds a character with which Keystone of release 2026.1 cannot make its tables",
            "make it of letters, digits and - . _ ~ or take CONFIG_OPENSTACK_RELEASE=2026.2",
        )
    return url


def schema_of(cloud: Cloud) -> Schema:
    """Return Keystone's database, and its account there."""
    return Schema(USER, cloud.answers["CONFIG_KEYSTONE_DB_PW"], ("keystone",))


def api(cloud: Cloud) -> KeystoneApi:
    """Return where Keystone is, and its administrator."""
    answers = cloud.answers
    return KeystoneApi(
        identity_url(answers), answers["CONFIG_KEYSTONE_ADMIN_PW"], answers["CONFIG_KEYSTONE_ADMIN_USERNAME"]
    )


def _entities(cloud: Cloud) -> Iterable[Resource]:
    keystone, region = api(cloud), cloud.answers["CONFIG_KEYSTONE_REGION"]
    yield Bootstrap(keystone, region, f"{home(cloud)}/bin/python", USER)
    for interface in INTERFACES:
        yield Endpoint(keystone, "identity", interface, keystone.url, region)
    yield Project(keystone, "service", description="Users of the services")


ROLE = Keystone()
