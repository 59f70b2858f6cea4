"""What Nova's services need before they start: account, configuration, the tables of three databases, two cells."""

from __future__ import annotations

import json
from collections.abc import Iterable
from pathlib import Path

from installer.cloud import Cloud, CloudHost
from installer.resources.base import Resource
from installer.resources.database_schema import DatabaseSchema
from installer.resources.nova_cells import Cell
from installer.roles import Role
from roles import service
from roles.mariadb import role as mariadb
from roles.nova import configuration
from roles.nova.configuration import PAGES, USER
from roles.nova.role import ROLE as NOVA
from roles.openstack.role import home

PROGRAM = Path(__file__).with_name("databases.py")


class NovaDatabases(Role):
    """Nova's configuration and databases, made while Keystone is: the services themselves wait for the catalogue."""

    name = "nova_databases"
    title = "Databases of instances (Nova)"
    groups = ("controller",)
    after = ("mariadb", "rabbitmq")
    after_here = ("openstack",)
    services = (USER,)

    def wanted(self, cloud: Cloud) -> bool:
        return NOVA.wanted(cloud)

    def resources(self, cloud: Cloud, host: CloudHost) -> Iterable[Resource]:
        yield from configuration.account(host)
        yield from service.from_release(cloud, USER, "api-paste.ini")
        yield configuration.controller(cloud, host, PAGES if NOVA.facts(host)["novnc"] else "")
        yield from mariadb.client(host)
        yield from _databases(cloud, host)


def _databases(cloud: Cloud, host: CloudHost) -> Iterable[Resource]:
    cells, schema = configuration.cells(cloud), configuration.schema_of(cloud)
    argv, program = (f"{home(cloud)}/bin/python", "-", json.dumps(cells)), PROGRAM.read_text()
    server = mariadb.server(cloud, host, schema)
    for database in schema.databases:
        yield DatabaseSchema(
            database,
            argv,
            account=USER,
            release=cloud.release,
            server=server,
            program=program,
            # The program puts the cells there; migrations put nothing anywhere (33.0.2, 34.0.0).
            seeded=(("cell_mappings", len(cells)),) if database == configuration.DATABASES[0] else (),
        )
    for cell in cells:
        yield Cell(cell["name"], cell["transport_url"], cell["database_connection"], argv, USER, program, server)


ROLE = NovaDatabases()
