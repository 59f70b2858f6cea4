"""The orchestration service: API and engine."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable

from installer.cloud import Cloud, CloudHost
from installer.resources.base import Resource
from installer.resources.file import Directory, File
from installer.resources.keystone import CloudRole, CloudUser, Domain, RoleAssignment
from installer.resources.secret import Secret
from installer.roles import Role, Schema
from installer.sizing import workers
from installer.urls import api_url, database_url
from roles import service

USER = "heat"
CONFIGURATION = "/etc/heat/heat.conf"
API = "openstack-heat-api.service"
ENGINE = "openstack-heat-engine.service"
#: What every stack knows without naming it; the release's file is among the operator's.
ENVIRONMENTS = "/etc/heat/environment.d"
#: The role of users that stacks make, who may signal and nothing else, and the one to delegate where owners of stacks
#: shall not delegate all they may (``trusts_delegated_roles``).
CLOUD_ROLES = ("heat_stack_user", "heat_stack_owner")
#: Heat does not start with a key of another length, and works with its bytes.
KEY_LENGTH = 32


class Heat(Role):
    """Heat's API behind HAProxy, and its engine, on the controller."""

    name = "heat"
    title = "Orchestration (Heat)"
    groups = ("controller",)
    after = ("mariadb", "rabbitmq")
    after_here = ("heat_environment", "openstack", "memcached", "haproxy")
    units = (API, ENGINE)
    services = (USER,)

    def wanted(self, cloud: Cloud) -> bool:
        return bool(cloud.answers["CONFIG_HEAT_INSTALL"])

    def schemas(self, cloud: Cloud) -> Iterable[Schema]:
        return (schema_of(cloud),)

    def entities(self, cloud: Cloud) -> Iterable[Resource]:
        answers, keystone = cloud.answers, service.keystone(cloud)
        yield from service.cloud_user(cloud, USER, answers["CONFIG_HEAT_KS_PW"])
        url = api_url(answers, "heat", "/v1/%(tenant_id)s")
        yield from service.endpoints(cloud, "heat", "orchestration", url, "Orchestration")
        domain, admin = str(answers["CONFIG_HEAT_DOMAIN"]), str(answers["CONFIG_HEAT_DOMAIN_ADMIN"])
        yield Domain(keystone, domain, "Users that stacks make")
        yield CloudUser(keystone, admin, answers["CONFIG_HEAT_DOMAIN_PASSWORD"], domain=domain)
        yield RoleAssignment(keystone, admin, "admin", domain=domain, user_domain=domain)
        for role in CLOUD_ROLES:
            yield CloudRole(keystone, role)

    def resources(self, cloud: Cloud, host: CloudHost) -> Iterable[Resource]:
        yield from service.account(USER, "orchestration")
        yield Directory(ENVIRONMENTS, "root", USER, 0o750)
        yield from service.from_release(cloud, USER, "api-paste.ini", "environment.d/default.yaml", "templates")
        yield _configuration(cloud, host)
        yield from service.tables(cloud, host, schema_of(cloud), "heat", ("heat-manage", "db_sync"))
        yield from service.units_last(self._units(cloud, host))
        yield service.answering(cloud, "heat", API)

    def _units(self, cloud: Cloud, host: CloudHost) -> Iterable[Resource]:
        yield from service.api(
            cloud,
            host,
            USER,
            name="heat",
            unit=API,
            module="heat.wsgi.api:application",
            reads=(CONFIGURATION,),
        )
        yield from service.daemon(
            cloud,
            USER,
            unit=ENGINE,
            command=("heat-engine", *service.arguments(USER, CONFIGURATION)),
            reads=(CONFIGURATION, ENVIRONMENTS),
        )


def _configuration(cloud: Cloud, host: CloudHost) -> File:
    answers = cloud.answers
    return service.configuration(
        cloud,
        USER,
        CONFIGURATION,
        "heat/heat.conf.j2",
        transport_url=service.transport_url(cloud),
        connection=database_url(USER, answers["CONFIG_HEAT_DB_PW"], answers["CONFIG_MARIADB_HOST"], "heat"),
        password=answers["CONFIG_HEAT_KS_PW"],
        workers=workers(cloud, host),
        key=encryption_key(answers["CONFIG_HEAT_AUTH_ENC_KEY"]),
        domain=answers["CONFIG_HEAT_DOMAIN"],
        domain_admin=answers["CONFIG_HEAT_DOMAIN_ADMIN"],
        domain_password=answers["CONFIG_HEAT_DOMAIN_PASSWORD"],
        unversioned=api_url(answers, "keystone"),
        cloudformation=answers["CONFIG_HEAT_CFN_INSTALL"],
        backups=bool(answers["CONFIG_CINDER_INSTALL"] and answers["CONFIG_CINDER_BACKUP"]),
    )


def encryption_key(given: Secret) -> Secret:
    """Return the key of heat.conf: what the answer file says if it has the right length, else one made of it."""
    text = given.reveal()
    if text.isascii() and len(text) == KEY_LENGTH:
        return given
    return Secret(hashlib.sha256(text.encode()).hexdigest()[:KEY_LENGTH])


def schema_of(cloud: Cloud) -> Schema:
    """Return Heat's database, and its account there."""
    return Schema(USER, cloud.answers["CONFIG_HEAT_DB_PW"], ("heat",))


ROLE = Heat()
