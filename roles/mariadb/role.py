"""The database, with what every other role keeps in it."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from installer.addresses import address_of
from installer.cloud import Cloud, CloudHost
from installer.ports import PORTS
from installer.render import rendered_file
from installer.resources.base import Resource
from installer.resources.database import Database, DatabaseAccount, DatabaseAdministrator
from installer.resources.package import Package
from installer.resources.sql import LOCAL, DatabaseServer
from installer.resources.unit import Unit
from installer.roles import Role, Schema, all_roles

#: Enough for every service of a large controller; an idle connection costs some 0.2 MiB.
MAX_CONNECTIONS = 4096


class MariaDB(Role):
    """MariaDB on the database host."""

    name = "mariadb"
    title = "Database (MariaDB)"
    groups = ("database",)
    after_here = ("base",)

    def ports(self, cloud: Cloud, host: CloudHost) -> Mapping[int, tuple[str, ...]]:
        return {PORTS["mariadb"]: ("mariadbd", "mysqld")}

    def resources(self, cloud: Cloud, host: CloudHost) -> Iterable[Resource]:
        facts = self.facts(host)
        yield Package(facts["package"])
        yield rendered_file(
            facts["options"],
            "mariadb/pystack.cnf.j2",
            bind_address=address_of(host),
            max_connections=MAX_CONNECTIONS,
        )
        yield Unit(facts["unit"], reads=(facts["options"],))
        yield DatabaseAdministrator(cloud.answers["CONFIG_MARIADB_PW"], cloud.answers["CONFIG_MARIADB_USER"])
        for schema in (schema for role in all_roles() if role.wanted(cloud) for schema in role.schemas(cloud)):
            yield from map(Database, schema.databases)
            # Any host: which of its addresses a service comes from is for the network to decide.
            yield DatabaseAccount(schema.user, "%", schema.password, schema.databases)


def server(cloud: Cloud, host: CloudHost, schema: Schema) -> DatabaseServer:
    """Return how a host looks into a role's databases: over the socket where the server runs, else as the role."""
    if "database" in host.groups:
        return LOCAL
    return DatabaseServer(cloud.first("database").address, PORTS["mariadb"], schema.user, schema.password)


def client(host: CloudHost) -> Iterable[Package]:
    """Yield the package that a host needs to look into databases on another one."""
    if "database" not in host.groups:
        yield Package(ROLE.facts(host)["client"])


ROLE = MariaDB()
