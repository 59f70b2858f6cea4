"""The tables of a service in its database, as the service's own command makes them."""

from __future__ import annotations

import dataclasses
import json
import os
from typing import Any, ClassVar, Dict, List, Mapping, Optional, Sequence, Tuple

from installer.agent.host import CommandFailed, Host
from installer.resources.base import Actual, FixFailed, Resource, State
from installer.resources.file import write_atomically
from installer.resources.sql import LOCAL, DatabaseServer, ask, by_server, identifier, literal, why_unknown

#: One note per database: what was begun, and what was finished.
NOTES = "/var/lib/pystack/schemas"


@dataclasses.dataclass(frozen=True)
class DatabaseSchema(Resource):
    """All tables of a release in a database.

    They are complete when the command has ended well for this release, which a note on the host tells, and the
    database still has the Alembic versions that it had then. A sync that was cut off is repeated. If that fails, the
    database was empty before the first one, and holds nothing but what the command put there, its tables are dropped
    and made once more: MariaDB cannot take back half a migration. With any row more they stay: a dump may have been
    restored since. Databases that one command makes the tables of are made together.

    Args:
        database: its name.
        argv: the command, such as ``/opt/pystack/2026.2/bin/keystone-manage db_sync``.
        account: the host's account that runs it.
        release: the OpenStack release.
        server: how to look into the database: as MariaDB's root on this host, or as the service's own account.
        env: additions to the command's environment; no secrets.
        program: text for the command's standard input.
        seeded: tables into which the command itself, or the migrations that it runs, put rows, and how many.
    """

    kind: ClassVar[str] = "database-schema"

    database: str
    argv: Tuple[str, ...]
    account: str
    release: str
    server: DatabaseServer = LOCAL
    env: Tuple[Tuple[str, str], ...] = ()
    program: str = dataclasses.field(default="", repr=False)
    seeded: Tuple[Tuple[str, int], ...] = ()

    @property
    def name(self) -> str:
        return self.database

    def expected(self) -> State:
        return {"release": self.release, "tables": "complete"}

    @classmethod
    def query(cls, resources: Sequence[DatabaseSchema], host: Host) -> Dict[str, Actual]:
        found: Dict[str, Actual] = {}
        for server, group in by_server(resources).items():
            try:
                versions = _versions(server, [resource.database for resource in group], host)
            except CommandFailed as failed:
                unknown = why_unknown(failed, server)
                if unknown is None:
                    raise
                found.update({resource.id: unknown for resource in group})
            else:
                for resource in group:
                    found[resource.id] = state_of(_read_note(resource.database), versions[resource.database])
        return found

    def fix(self, actual: Actual, host: Host) -> None:
        _make([self], host)

    @classmethod
    def fix_all(cls, differing: Sequence[Tuple[DatabaseSchema, Actual]], host: Host) -> None:
        together: Dict[Any, List[DatabaseSchema]] = {}
        for item, _ in differing:
            together.setdefault((item.argv, item.account, item.env, item.program), []).append(item)
        for group in together.values():
            try:
                _make(group, host)
            except Exception as problem:
                raise FixFailed(group[0]) from problem


def _make(group: Sequence[DatabaseSchema], host: Host) -> None:
    """Run the command that several databases have in common, once; once more if a run that was cut off needs it."""
    command, names = group[0], ", ".join(item.database for item in group)
    empty = [item for item in group if not _tables(DatabaseServer(*item.server), item.database, host)]
    begun = [item for item in group if item not in empty and (_read_note(item.database) or {}).get("first")]
    for item in group:
        _write_note(item.database, {"first": item in empty or item in begun})
    host.progress(f"making the tables of {names}")

    def sync() -> None:
        host.run(command.argv, stdin=command.program or None, user=command.account, env=dict(command.env), timeout=3600)

    try:
        sync()
    except CommandFailed as failed:
        if not begun:
            raise
        for item in begun:
            held = _with_data(item, host)
            if held:
                raise CommandFailed(failed.completed, f"{failed}; {_left_alone(item.database, held)}") from failed
        for item in [*begun, *empty]:
            host.progress(f"dropping what a cut-off run left in {item.database}, and making it once more")
            _drop_tables(DatabaseServer(*item.server), item.database, host)
        sync()
    for item in group:
        versions = _versions(DatabaseServer(*item.server), [item.database], host)[item.database]
        _write_note(item.database, {"release": item.release, "versions": versions})


def state_of(note: Optional[Mapping[str, Any]], versions: Sequence[str]) -> Actual:
    """Return the state of a database's tables.

    Args:
        note: what this host knows of them.
        versions: what its ``alembic_version`` holds, sorted; nothing when there is no such table.
    """
    if not versions:
        return None
    if not note or "release" not in note:
        return {"release": "unknown", "tables": "perhaps not complete"}
    same = list(versions) == note.get("versions")
    return {"release": note["release"], "tables": "complete" if same else "changed since they were made"}


def _versions(server: DatabaseServer, databases: Sequence[str], host: Host) -> Dict[str, List[str]]:
    """Return the Alembic versions of each database; a keystone has two branches, most have one."""
    names = ", ".join(map(literal, databases))
    having = ask(
        server,
        "SELECT 'table' AS kind, TABLE_SCHEMA AS name FROM information_schema.TABLES"  # noqa: S608 - quoted
        f" WHERE TABLE_NAME = 'alembic_version' AND TABLE_SCHEMA IN ({names});\n",
        host,
    )
    found: Dict[str, List[str]] = {name: [] for name in databases}
    selects = "".join(
        f"SELECT 'version' AS kind, {literal(row['name'])} AS name, version_num FROM"  # noqa: S608 - quoted
        f" {identifier(row['name'])}.alembic_version ORDER BY version_num;\n"
        for row in having
    )
    for row in ask(server, selects, host) if selects else []:
        found[row["name"]].append(row["version_num"])
    return found


def _tables(server: DatabaseServer, database: str, host: Host) -> List[str]:
    rows = ask(
        server,
        "SELECT 'table' AS kind, TABLE_NAME AS name FROM information_schema.TABLES"  # noqa: S608 - quoted
        f" WHERE TABLE_SCHEMA = {literal(database)};\n",
        host,
    )
    return [row["name"] for row in rows]


def _with_data(schema: DatabaseSchema, host: Host) -> List[str]:
    """Return the tables that hold more rows than the command put there."""
    server, seeded = DatabaseServer(*schema.server), dict(schema.seeded)
    counts = "".join(
        f"SELECT 'count' AS kind, {literal(table)} AS name, COUNT(*) AS held FROM"  # noqa: S608 - quoted
        f" (SELECT 1 AS present FROM {identifier(schema.database)}.{identifier(table)}"
        f" LIMIT {seeded.get(table, 0) + 1}) AS few;\n"
        for table in _tables(server, schema.database, host)
        if table != "alembic_version"
    )
    return [
        row["name"]
        for row in (ask(server, counts, host) if counts else [])
        if int(row["held"]) > seeded.get(row["name"], 0)
    ]


def _left_alone(database: str, held: Sequence[str]) -> str:
    tables = ", ".join([*sorted(held)[:3], *(["..."] if len(held) > 3 else [])])
    return (
        f"the tables of {database} stay as they are, because there is data in them ({tables}): "
        f"restore a dump that is whole, or drop the database {database} if nothing in it is needed, and run again"
    )


def _drop_tables(server: DatabaseServer, database: str, host: Host) -> None:
    drops = "".join(
        f"DROP TABLE {identifier(database)}.{identifier(table)};\n" for table in _tables(server, database, host)
    )
    ask(server, f"SET SESSION foreign_key_checks = 0;\n{drops}", host)


def _note_path(database: str) -> str:
    return os.path.join(NOTES, f"{database.encode().hex() if '/' in database else database}.json")


def _read_note(database: str) -> Optional[Dict[str, Any]]:
    try:
        with open(_note_path(database), encoding="utf-8") as stream:
            note = json.load(stream)
    except (OSError, ValueError):
        return None
    return note if isinstance(note, dict) else None


def _write_note(database: str, note: Mapping[str, Any]) -> None:
    os.makedirs(NOTES, mode=0o755, exist_ok=True)
    write_atomically(_note_path(database), json.dumps(note).encode(), "root", "root", 0o644)
