"""A database of MariaDB, an account with what it may do, and the administrator's password."""

from __future__ import annotations

import dataclasses
import json
from typing import Any, Callable, ClassVar, Dict, List, Mapping, Sequence, Tuple, TypeVar

from installer.agent.host import CommandFailed, Host
from installer.resources.base import Actual, Resource, State, Unknown
from installer.resources.secret import Secret
from installer.resources.sql import (
    LOCAL,
    DatabaseServer,
    account,
    ask,
    by_server,
    identifier,
    literal,
    password_hash,
    pattern,
    why_unknown,
)

R = TypeVar("R", bound=Resource)
Row = Mapping[str, str]

NATIVE = "mysql_native_password"
SOCKET = "unix_socket"

_DATABASES = (
    "SELECT 'database' AS kind, SCHEMA_NAME AS name, DEFAULT_CHARACTER_SET_NAME AS charset,"
    " DEFAULT_COLLATION_NAME AS collation FROM information_schema.SCHEMATA;\n"
    "SELECT DISTINCT 'in use' AS kind, TABLE_SCHEMA AS name FROM information_schema.TABLES;\n"
)
_ACCOUNTS = "SELECT 'account' AS kind, User, Host, Priv FROM mysql.global_priv;\n"
_GRANTS = "SELECT 'grant' AS kind, db.* FROM mysql.db;\n"


@dataclasses.dataclass(frozen=True)
class Database(Resource):
    """A database. It is never dropped.

    Once it holds tables, its defaults are left alone: services change them for themselves (Keystone's first migration
    alters its database), and another default would not fit the tables that are there.

    Args:
        database: its name.
        charset: default character set.
        collation: default collation.
        server: where it is.
    """

    kind: ClassVar[str] = "database"

    database: str
    charset: str = "utf8mb3"
    collation: str = "utf8mb3_general_ci"
    server: DatabaseServer = LOCAL

    @property
    def name(self) -> str:
        return self.database

    def expected(self) -> State:
        return {"charset": self.charset, "collation": self.collation}

    @classmethod
    def query(cls, resources: Sequence[Database], host: Host) -> Dict[str, Actual]:
        return _query(resources, _DATABASES, database_state, host)

    @classmethod
    def fix_all(cls, differing: Sequence[Tuple[Database, Actual]], host: Host) -> None:
        _fix_all(differing, database_statements, host)


@dataclasses.dataclass(frozen=True)
class DatabaseAccount(Resource):
    """An account of MariaDB with a password and all privileges on some databases, and on no others.

    Privileges on single tables, columns and routines are not looked at.

    Args:
        user, host: its two names; ``%`` is any host.
        password: any text. Only its hash ever is in SQL.
        databases: the databases on which it has all privileges.
        server: where it is.
    """

    kind: ClassVar[str] = "database-account"

    user: str
    host: str
    password: Secret
    databases: Tuple[str, ...]
    server: DatabaseServer = LOCAL

    @property
    def name(self) -> str:
        return f"{self.user}@{self.host}"

    def expected(self) -> State:
        grants = {f"on {pattern(database)}": "all" for database in self.databases}
        return {"login": Secret(password_hash(self.password.reveal())), **grants}

    @classmethod
    def query(cls, resources: Sequence[DatabaseAccount], host: Host) -> Dict[str, Actual]:
        return _query(resources, _ACCOUNTS + _GRANTS, _account_state, host)

    @classmethod
    def fix_all(cls, differing: Sequence[Tuple[DatabaseAccount, Actual]], host: Host) -> None:
        _fix_all(differing, account_statements, host)


@dataclasses.dataclass(frozen=True)
class DatabaseAdministrator(Resource):
    """MariaDB's root: who is root on the host logs in over the socket, anyone else needs the password.

    Accounts of root from elsewhere, which some distributions make without a password, get the password too.

    Args:
        password: any text.
        user: the administrator's name.
    """

    kind: ClassVar[str] = "database-administrator"

    password: Secret
    user: str = "root"

    @property
    def name(self) -> str:
        return self.user

    @property
    def server(self) -> DatabaseServer:
        """The server on this host, where an earlier run or Packstack may have set this password alone."""
        return DatabaseServer(user=self.user, password=self.password)

    def expected(self) -> State:
        return {
            "password": Secret(password_hash(self.password.reveal())),
            "socket": "yes",
            "other passwords": (),
        }

    @classmethod
    def query(cls, resources: Sequence[DatabaseAdministrator], host: Host) -> Dict[str, Actual]:
        return _query(resources, _ACCOUNTS, _administrator_state, host)

    @classmethod
    def fix_all(cls, differing: Sequence[Tuple[DatabaseAdministrator, Actual]], host: Host) -> None:
        _fix_all(differing, administrator_statements, host)


def _query(
    resources: Sequence[R], statements: str, state: Callable[[R, Sequence[Row]], Actual], host: Host
) -> Dict[str, Actual]:
    found: Dict[str, Actual] = {}
    for server, group in by_server(resources).items():
        try:
            rows = ask(server, statements, host)
        except CommandFailed as failed:
            unknown = why_unknown(failed, server)
            if unknown is None:
                raise
            found.update({resource.id: unknown for resource in group})
        else:
            found.update({resource.id: state(resource, rows) for resource in group})
    return found


def _fix_all(differing: Sequence[Tuple[R, Actual]], statements: Callable[[R, Actual], List[str]], host: Host) -> None:
    actual_of = {resource.id: actual for resource, actual in differing}
    for server, group in by_server([resource for resource, _ in differing]).items():
        if any(isinstance(actual_of[resource.id], Unknown) for resource in group):
            # Nothing was known when the server did not answer. Either it does now, or this raises the reason.
            ask(server, "", host)
            actual_of.update(type(group[0]).query(group, host))
        script = [line for resource in group for line in statements(resource, actual_of[resource.id])]
        ask(server, "".join(f"{line};\n" for line in script), host)


def database_state(resource: Database, rows: Sequence[Row]) -> Actual:
    """Return a database's state from rows that tell of all databases (``database``) and of those with tables."""
    ours = {row["kind"]: row for row in rows if row["name"] == resource.database}
    if "in use" in ours:
        return resource.expected()
    if "database" not in ours:
        return None
    defaults = ours["database"]
    return {"charset": full_name(defaults["charset"]), "collation": full_name(defaults["collation"])}


def full_name(charset: str) -> str:
    """Return the name of a character set or collation as newer servers say it: ``utf8`` is ``utf8mb3``."""
    return "utf8mb3" + charset[4:] if charset == "utf8" or charset.startswith("utf8_") else charset


def database_statements(resource: Database, actual: Actual) -> List[str]:
    """Return the SQL that makes a database, or gives an empty one its defaults."""
    verb = "ALTER DATABASE" if isinstance(actual, dict) else "CREATE DATABASE IF NOT EXISTS"
    # Servers before 10.6 know utf8mb3 by its old name only; with PRELUDE it means the same on all.
    charset, collation = (name.replace("utf8mb3", "utf8") for name in (resource.charset, resource.collation))
    return [f"{verb} {identifier(resource.database)} CHARACTER SET {literal(charset)} COLLATE {literal(collation)}"]


def _account_state(resource: DatabaseAccount, rows: Sequence[Row]) -> Actual:
    for row in rows:
        if row["kind"] == "account" and (row["User"], row["Host"]) == (resource.user, resource.host):
            grants = [
                grant
                for grant in rows
                if grant["kind"] == "grant" and (grant["User"], grant["Host"]) == (resource.user, resource.host)
            ]
            return account_state(json.loads(row["Priv"]), grants)
    return None


def account_state(properties: Mapping[str, Any], grants: Sequence[Row]) -> Dict[str, Any]:
    """Return an account's state.

    Args:
        properties: its JSON in mysql.global_priv.
        grants: its rows of mysql.db, whose ``Db`` is a pattern.
    """
    ways = login_ways(properties)
    native = ways.get(NATIVE)
    login: Any = Secret(native) if native is not None and len(ways) == 1 else " or ".join(ways)
    state = {"login": "locked" if properties.get("account_locked") else login}
    if properties.get("access"):
        state["on *.*"] = "some"
    for grant in grants:
        may = {key: value == "Y" for key, value in grant.items() if key.endswith("_priv")}
        passing_on = may.pop("Grant_priv", False)
        amount = "all" if all(may.values()) else "some"
        state[f"on {grant['Db']}"] = f"{amount}, and to grant it" if passing_on else amount
    return state


def login_ways(properties: Mapping[str, Any]) -> Dict[str, str]:
    """Return an account's authentication plugins with what each keeps: any one of them lets it in."""
    own = {"plugin": properties.get("plugin"), "authentication_string": properties.get("authentication_string")}
    ways = [{**own, **way} for way in properties.get("auth_or") or [{}]]
    return {way["plugin"] or NATIVE: way["authentication_string"] or "" for way in ways}


def account_statements(resource: DatabaseAccount, actual: Actual) -> List[str]:
    """Return the SQL that makes an account true: what is missing first, so that nothing in use is ever cut off."""
    who = account(resource.user, resource.host)
    hashed = literal(password_hash(resource.password.reveal()))
    expected = resource.expected() or {}
    held = actual if isinstance(actual, dict) else {}
    lines = []
    if not held:
        lines.append(f"CREATE USER {who} IDENTIFIED VIA {NATIVE} USING {hashed}")
    elif held["login"] != expected["login"]:
        lines.append(f"ALTER USER {who} IDENTIFIED VIA {NATIVE} USING {hashed} ACCOUNT UNLOCK")
    for key in expected:
        if key.startswith("on ") and held.get(key) != expected[key]:
            lines.append(f"GRANT ALL PRIVILEGES ON {identifier(key[3:])}.* TO {who}")
    for key, amount in held.items():
        if key.startswith("on ") and expected.get(key) != amount:
            where = "*.*" if key == "on *.*" else f"{identifier(key[3:])}.*"
            if amount.endswith("to grant it") or key == "on *.*":
                lines.append(f"REVOKE GRANT OPTION ON {where} FROM {who}")
            if key not in expected:
                lines.append(f"REVOKE ALL PRIVILEGES ON {where} FROM {who}")
    return lines


def _administrator_state(resource: DatabaseAdministrator, rows: Sequence[Row]) -> Actual:
    found = {row["Host"]: login_ways(json.loads(row["Priv"])) for row in rows if row["User"] == resource.user}
    return administrator_state(resource, found)


def administrator_state(resource: DatabaseAdministrator, accounts: Mapping[str, Mapping[str, str]]) -> Dict[str, Any]:
    """Return the administrator's state.

    Args:
        accounts: by host the ways to log in (see ``login_ways``).
    """
    local = accounts.get("localhost", {})
    wanted = password_hash(resource.password.reveal())
    others = tuple(
        sorted(where for where, ways in accounts.items() if where != "localhost" and ways != {NATIVE: wanted})
    )
    return {
        "password": Secret(local[NATIVE]) if NATIVE in local else None,
        "socket": "yes" if SOCKET in local else "no",
        "other passwords": others,
    }


def administrator_statements(resource: DatabaseAdministrator, actual: Actual) -> List[str]:
    """Return the SQL that gives every account of the administrator the password, and the local one the socket."""
    hashed = literal(password_hash(resource.password.reveal()))
    others = actual["other passwords"] if isinstance(actual, dict) else ()
    return [
        *(f"ALTER USER {account(resource.user, where)} IDENTIFIED VIA {NATIVE} USING {hashed}" for where in others),
        f"ALTER USER {account(resource.user, 'localhost')} IDENTIFIED VIA {SOCKET} OR {NATIVE} USING {hashed}",
    ]
