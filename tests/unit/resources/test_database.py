from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import yaml

from installer.agent.host import CommandFailed, Completed
from installer.resources import sql
from installer.resources.base import Unknown, from_wire, to_wire
from installer.resources.database import (
    Database,
    DatabaseAccount,
    DatabaseAdministrator,
    account_state,
    account_statements,
    administrator_state,
    database_state,
    database_statements,
    full_name,
)
from installer.resources.secret import Secret
from tests.unit.resources.fake_host import FakeHost

CASES = Path(__file__).parent / "cases"
SQL = yaml.safe_load((CASES / "sql.yaml").read_text())
DATABASE = yaml.safe_load((CASES / "database.yaml").read_text())


def revealed(value: Any) -> Any:
    if isinstance(value, dict):
        return {key: revealed(item) for key, item in value.items()}
    if isinstance(value, tuple):
        return [revealed(item) for item in value]
    return value.reveal() if isinstance(value, Secret) else value


def nova(*databases: str) -> DatabaseAccount:
    return DatabaseAccount("nova", "%", Secret("secret"), databases)


@pytest.mark.parametrize("case", SQL["literal"], ids=lambda case: repr(case["text"]))
def test_a_text_becomes_a_literal_on_one_line(case: dict[str, str]) -> None:
    assert sql.literal(case["text"]) == case["sql"]


@pytest.mark.parametrize("case", SQL["identifier"], ids=lambda case: case["name"])
def test_a_name_becomes_an_identifier(case: dict[str, str]) -> None:
    assert sql.identifier(case["name"]) == case["sql"]


@pytest.mark.parametrize("name", SQL["no_identifier"], ids=repr)
def test_what_cannot_be_a_name_is_refused(name: str) -> None:
    with pytest.raises(ValueError, match="cannot be the name of a database"):
        sql.identifier(name)


@pytest.mark.parametrize("case", SQL["pattern"], ids=lambda case: case["database"])
def test_a_grant_is_on_one_database_and_not_on_what_looks_like_it(case: dict[str, str]) -> None:
    assert sql.pattern(case["database"]) == case["pattern"]


@pytest.mark.parametrize("case", SQL["password_hash"], ids=lambda case: case["password"])
def test_a_password_is_hashed_as_the_server_does(case: dict[str, str]) -> None:
    assert sql.password_hash(case["password"]) == case["hash"]


@pytest.mark.parametrize("case", SQL["rows"], ids=lambda case: case["title"])
def test_rows_of_a_session(case: dict[str, Any]) -> None:
    assert sql.rows(case["output"]) == case["rows"]


@pytest.mark.parametrize("case", SQL["option_file"], ids=lambda case: repr(case["password"]))
def test_a_password_in_an_option_file(case: dict[str, str]) -> None:
    assert sql.option_file(case["password"]) == f"[client]\n{case['line']}\n"


@pytest.mark.parametrize("case", SQL["unknown"], ids=lambda case: case["error"][:10])
def test_why_a_server_cannot_be_asked(case: dict[str, str]) -> None:
    failed = CommandFailed(Completed(("mariadb",), 1, "", case["error"]))
    for server, reason in ((sql.LOCAL, case["here"]), (sql.DatabaseServer("192.0.2.1"), case["there"])):
        unknown = sql.why_unknown(failed, server)
        assert (unknown.reason if unknown else None) == reason


def test_a_client_that_is_not_installed_is_told() -> None:
    host = FakeHost({"mariadb": (127, "", "No such file")})
    (found,) = Database.query([Database("nova")], host).values()
    assert isinstance(found, Unknown)
    assert found.reason == "the mariadb client is not installed yet"


def test_a_client_that_fails_before_it_asks_is_no_fault_of_ours() -> None:
    said = "Can't read dir of '/etc/mysql/conf.d/'\nFatal error in defaults handling. Program aborted"
    unknown = sql.why_unknown(CommandFailed(Completed(("mariadb",), 1, "", said)), sql.LOCAL)
    assert unknown is not None
    assert unknown.reason == "the mariadb client fails: Can't read dir of '/etc/mysql/conf.d/'"


@pytest.mark.parametrize("case", DATABASE["account_state"], ids=lambda case: case["title"])
def test_the_state_of_an_account(case: dict[str, Any]) -> None:
    assert revealed(account_state(case["properties"], case["grants"])) == case["state"]


@pytest.mark.parametrize("case", DATABASE["account_statements"], ids=lambda case: case["title"])
def test_the_sql_that_makes_an_account_true(case: dict[str, Any]) -> None:
    actual = case["actual"] and {**case["actual"], "login": Secret(case["actual"]["login"])}
    assert account_statements(nova(*case["databases"]), actual) == case["sql"]


@pytest.mark.parametrize("case", DATABASE["administrator_state"], ids=lambda case: case["title"])
def test_the_state_of_the_administrator(case: dict[str, Any]) -> None:
    state = administrator_state(DatabaseAdministrator(Secret("secret")), case["accounts"])
    assert revealed(state) == case["state"]


@pytest.mark.parametrize("case", DATABASE["full_name"], ids=lambda case: case["said"])
def test_an_older_server_says_utf8_for_utf8mb3(case: dict[str, str]) -> None:
    assert full_name(case["said"]) == case["name"]


@pytest.mark.parametrize(
    ("rows", "state"),
    [
        ([], None),
        ([("database", "nova", "utf8", "utf8_general_ci")], {"charset": "utf8mb3", "collation": "utf8mb3_general_ci"}),
        ([("database", "nova", "latin1", "latin1_bin")], {"charset": "latin1", "collation": "latin1_bin"}),
        (
            [("database", "nova", "latin1", "latin1_bin"), ("in use", "nova", "", "")],
            {"charset": "utf8mb3", "collation": "utf8mb3_general_ci"},
        ),
        ([("database", "other", "utf8", "utf8_general_ci"), ("in use", "other", "", "")], None),
    ],
    ids=["none", "as an older server says it", "with other defaults", "in use", "another's"],
)
def test_the_state_of_a_database(rows: list[tuple[str, ...]], state: Any) -> None:
    found = [dict(zip(("kind", "name", "charset", "collation"), row, strict=True)) for row in rows]
    assert database_state(Database("nova"), found) == state


@pytest.mark.parametrize("case", DATABASE["database_statements"], ids=lambda case: str(case["actual"]))
def test_the_sql_that_makes_a_database(case: dict[str, Any]) -> None:
    assert database_statements(Database("nova_api"), case["actual"]) == [case["sql"]]


def test_all_accounts_of_a_server_take_one_session() -> None:
    host = FakeHost({"mariadb": "kind\tUser\tHost\tPriv\n"})
    found = DatabaseAccount.query([nova("a"), DatabaseAccount("glance", "%", Secret("x"), ())], host)
    assert found == {"database-account:nova@%": None, "database-account:glance@%": None}
    assert len(host.ran) == 1


def test_no_password_is_in_sql_or_in_an_argument() -> None:
    host = FakeHost({"mariadb": ""})
    DatabaseAccount.fix_all([(nova("nova"), None)], host)
    assert "secret" not in str(host.ran) + str(host.given)


def test_an_account_with_its_server_crosses_the_wire() -> None:
    account = DatabaseAccount("a", "%", Secret("x"), ("b",), sql.DatabaseServer("h", password=Secret("y")))
    assert from_wire(to_wire(account)) == account
