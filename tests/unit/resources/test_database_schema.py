from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import pytest

from installer.agent.host import CommandFailed
from installer.resources import database_schema
from installer.resources.base import FixFailed
from installer.resources.database_schema import DatabaseSchema, state_of
from tests.unit.resources.fake_host import FakeHost

NOTE = {"release": "2026.2", "versions": ["a", "b"]}


@pytest.mark.parametrize(
    ("note", "versions", "state"),
    [
        (None, [], None),
        (NOTE, [], None),
        ({"first": True}, ["a"], {"release": "unknown", "tables": "perhaps not complete"}),
        (None, ["a", "b"], {"release": "unknown", "tables": "perhaps not complete"}),
        (NOTE, ["a", "b"], {"release": "2026.2", "tables": "complete"}),
        (NOTE, ["a"], {"release": "2026.2", "tables": "changed since they were made"}),
    ],
    ids=["new", "the database was lost", "cut off", "another's", "complete", "an older backup was put back"],
)
def test_the_state_of_a_schema(note: Any, versions: list[str], state: Any) -> None:
    assert state_of(note, versions) == state


class Server:
    """A database of tables with their numbers of rows; its migrations fail until its tables are dropped."""

    def __init__(self, tables: dict[str, int]) -> None:
        self.tables = tables
        self.dropped: list[str] = []

    def ask(self, server: Any, statements: str, host: Any) -> list[dict[str, str]]:
        if "DROP TABLE" in statements:
            self.dropped = re.findall(r"DROP TABLE `service`\.`(\w+)`", statements)
            self.tables = {}
        if "COUNT(*)" in statements:
            asked = re.findall(
                r"SELECT 'count' AS kind, '(\w+)' AS name, .*? FROM `service`\.`\1` LIMIT (\d+)", statements
            )
            return [{"name": name, "held": str(min(int(limit), self.tables[name]))} for name, limit in asked]
        if "version_num" in statements:
            return [{"name": "service", "version_num": "a"}]
        if "alembic_version" in statements:
            return [{"name": "service"}]
        return [{"name": name} for name in self.tables]


class Migrations(FakeHost):
    def __init__(self, server: Server) -> None:
        super().__init__()
        self.server = server

    def run(self, argv: Any, **options: Any) -> Any:
        self.answers = {"manage db_sync": (1, "", "table exists") if self.server.tables else ""}
        return super().run(argv, **options)


@pytest.fixture
def cut_off(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Any:
    """Return a host on which the first sync was cut off, with these tables and numbers of rows."""
    monkeypatch.setattr(database_schema, "NOTES", str(tmp_path))
    (tmp_path / "service.json").write_text('{"first": true}')

    def make(tables: dict[str, int]) -> Migrations:
        server = Server(tables)
        monkeypatch.setattr(database_schema, "ask", server.ask)
        return Migrations(server)

    return make


SCHEMA = DatabaseSchema("service", ("manage", "db_sync"), "root", "2026.2", seeded=(("project", 1), ("rule", 4)))


def test_tables_that_hold_what_migrations_put_there_are_made_once_more(cut_off: Any) -> None:
    host = cut_off({"alembic_version": 2, "project": 1, "rule": 4, "user": 0})
    SCHEMA.fix(None, host)
    assert host.server.dropped == ["alembic_version", "project", "rule", "user"]
    assert host.ran == ["manage db_sync", "manage db_sync"]


@pytest.mark.parametrize(
    ("tables", "held"),
    [({"project": 1, "user": 1}, "user"), ({"project": 2, "user": 0}, "project"), ({"rule": 5}, "rule")],
    ids=["a row where migrations put none", "a second row where they put one", "a fifth where they put four"],
)
def test_tables_of_a_dump_restored_after_a_cut_off_run_are_left_alone(
    cut_off: Any, tables: dict[str, int], held: str
) -> None:
    host = cut_off({"alembic_version": 1, **tables})
    with pytest.raises(CommandFailed, match=rf"code 1; .* stay as they are, because .* \({held}\)") as failed:
        SCHEMA.fix(None, host)
    assert failed.value.completed.err == "table exists"
    assert host.server.dropped == []


def test_of_databases_that_are_made_together_none_is_dropped_when_one_holds_data(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(database_schema, "NOTES", str(tmp_path))
    rows = {"api": {"mapping": 2}, "cell": {"instance": 1}, "fresh": {}}
    dropped: list[str] = []

    def ask(server: Any, statements: str, host: Any) -> list[dict[str, str]]:
        dropped.extend(re.findall("DROP TABLE .*", statements))
        (named,) = {name for name in rows if f"'{name}'" in statements or f"`{name}`" in statements}
        return [{"name": table, "held": str(held)} for table, held in rows[named].items()]

    monkeypatch.setattr(database_schema, "ask", ask)
    for name in ("api", "cell"):
        (tmp_path / f"{name}.json").write_text('{"first": true}')
    together = [
        (DatabaseSchema(name, ("manage", "db_sync"), "root", "2026.2", seeded=(("mapping", 2),)), None) for name in rows
    ]
    host = FakeHost({"manage db_sync": (1, "", "table exists")})
    with pytest.raises(FixFailed) as failed:
        DatabaseSchema.fix_all(together, host)
    assert re.search(r"the tables of cell stay as they are, .* \(instance\)", str(failed.value.__cause__))
    assert host.ran == ["manage db_sync"]
    assert dropped == []


def test_databases_that_one_program_makes_are_made_by_one_run_of_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(database_schema, "NOTES", str(tmp_path))
    monkeypatch.setattr(database_schema, "ask", lambda *_: [])
    together = [
        (DatabaseSchema(name, ("python", "-"), "root", "2026.2", program="import this"), None)
        for name in ("api", "cell")
    ]
    host = FakeHost({"python -": ""})
    DatabaseSchema.fix_all(together, host)
    assert host.ran == ["python -"]
    assert [json.loads((tmp_path / f"{item.database}.json").read_text())["release"] for item, _ in together] == [
        "2026.2",
        "2026.2",
    ]
