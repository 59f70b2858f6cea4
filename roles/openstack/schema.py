"""The schema of a service's database, brought to what the installed release wants."""

from __future__ import annotations

from installer.cloud import Cloud
from installer.resources.command import Command
from roles.openstack.role import SCHEMA_CHECK, home


def schema(
    cloud: Cloud, service: str, argv: tuple[str, ...], *, configuration: str, migrations: str, section: str = "database"
) -> Command:
    """Return the command that makes or upgrades the schema of a service's database.

    Args:
        cloud: its release says which virtual environment.
        service: its name, which is also its account's.
        argv: program (in the environment's bin) and arguments.
        configuration: the service's file with the address of its database, as ``connection`` in ``section``.
        migrations: folder of the service's Alembic scripts, below site-packages.
    """
    folder = f"{home(cloud)}/bin"
    return Command(
        f"schema-{service}",
        (f"{folder}/{argv[0]}", *argv[1:]),
        unless=(f"{folder}/python", "-I", SCHEMA_CHECK, configuration, section, "connection", migrations),
        user=service,
        timeout=1800,
    )
