"""What Nova keeps about where its instances are: cells, and which compute host is in one."""

from __future__ import annotations

import dataclasses
import re
import time
from typing import Any, ClassVar, Dict, List, Optional, Sequence, Tuple

from installer.agent.host import CommandFailed, Host
from installer.resources.base import Actual, CannotFix, FixFailed, Resource, State, Unknown
from installer.resources.sql import LOCAL, DatabaseServer, ask, by_server, why_unknown

#: Answers of the server to a question about a table or database that is not there, or not for this account.
_NOTHING_THERE = re.compile(r"ERROR (1044|1049|1142|1146)\b")
_CELLS = "SELECT 'cell' AS kind, name, transport_url, database_connection FROM nova_api.cell_mappings;\n"
_MEMBERS = "SELECT 'host' AS kind, host FROM nova_api.host_mappings;\n"
_COMPUTE_HOSTS = "SELECT 'host' AS kind, host FROM nova.compute_nodes WHERE deleted = 0;\n"
#: Seconds between two looks while waiting, and between two lines of progress.
PAUSE, TELL = 0.5, 5.0

Rows = List[Dict[str, str]]


@dataclasses.dataclass(frozen=True)
class Cell(Resource):
    """A cell of Nova, known by addresses in which the configuration's names and passwords are filled in.

    So a new password is a matter of the configuration alone, and none is kept in the database.

    Args:
        cell: its name, such as ``cell1``.
        transport_url: address of its message queue, with ``{username}`` and the like.
        database_connection: address of its database, likewise.
        argv: the command that makes it so, and its tables.
        account: the host's account that runs it.
        program: text for the command's standard input.
        server: how to look into the database ``nova_api``.
    """

    kind: ClassVar[str] = "nova-cell"

    cell: str
    transport_url: str
    database_connection: str
    argv: Tuple[str, ...]
    account: str
    program: str = dataclasses.field(default="", repr=False)
    server: DatabaseServer = LOCAL

    @property
    def name(self) -> str:
        return self.cell

    def expected(self) -> State:
        return {"addresses": "as nova.conf says"}

    @classmethod
    def query(cls, resources: Sequence[Cell], host: Host) -> Dict[str, Actual]:
        found: Dict[str, Actual] = {}
        for server, group in by_server(resources).items():
            rows = _rows(server, _CELLS, host)
            for resource in group:
                found[resource.id] = rows if isinstance(rows, Unknown) else resource.state(rows)
        return found

    def state(self, rows: Rows) -> Actual:
        """Return the state among the cells that Nova has."""
        for row in rows:
            if row["name"] == self.cell:
                own = (row["transport_url"], row["database_connection"])
                right = own == (self.transport_url, self.database_connection)
                # Not what they are: there may be passwords in them.
                return self.expected() if right else {"addresses": "of their own"}
        return None

    def fix(self, actual: Actual, host: Host) -> None:
        host.run(self.argv, stdin=self.program, user=self.account, timeout=3600)


@dataclasses.dataclass(frozen=True)
class CellMember(Resource):
    """A compute host that is in a cell, so that instances can be placed on it.

    Args:
        host: the name by which Nova knows it.
        argv: the command that puts all new compute hosts into their cell.
        account: this host's account that runs it.
        server: how to look into Nova's databases.
        limit: seconds to wait until the compute host has said that it is there.
    """

    kind: ClassVar[str] = "compute-host"

    host: str
    argv: Tuple[str, ...]
    account: str
    server: DatabaseServer = LOCAL
    limit: float = 120.0

    @property
    def name(self) -> str:
        return self.host

    def expected(self) -> State:
        return {"in": "a cell"}

    @classmethod
    def query(cls, resources: Sequence[CellMember], host: Host) -> Dict[str, Actual]:
        found: Dict[str, Actual] = {}
        for server, group in by_server(resources).items():
            rows = _rows(server, _MEMBERS, host)
            for resource in group:
                if isinstance(rows, Unknown):
                    found[resource.id] = rows
                else:
                    there = resource.host in [row["host"] for row in rows]
                    found[resource.id] = resource.expected() if there else None
        return found

    def fix(self, actual: Actual, host: Host) -> None:
        self.fix_all([(self, actual)], host)

    @classmethod
    def fix_all(cls, differing: Sequence[Tuple[CellMember, Actual]], host: Host) -> None:
        for server, group in by_server([item for item, _ in differing]).items():
            for item in group:
                try:
                    item.wait(server, host)
                except Exception as problem:
                    raise FixFailed(item) from problem
            # One command for all of them.
            host.run(group[0].argv, user=group[0].account, timeout=300)

    def wait(self, server: DatabaseServer, host: Host) -> None:
        """Wait until the compute host has said what it has.

        Raises:
            CannotFix: not within the limit.
        """
        begun = told = time.monotonic()
        while True:
            rows = _rows(server, _COMPUTE_HOSTS, host)
            if not isinstance(rows, Unknown) and self.host in [row["host"] for row in rows]:
                return
            now = time.monotonic()
            if now - begun > self.limit:
                raise CannotFix(
                    f"nova-compute on {self.host} has not said what it has within {self.limit:.0f} s: "
                    "`journalctl -u openstack-nova-compute` there tells why"
                )
            if now - told > TELL:
                told = now
                host.progress(f"waiting for nova-compute on {self.host} to say what it has")
            time.sleep(PAUSE)


def _rows(server: Any, statement: str, host: Host) -> Any:
    """Return the rows of a question; none when the table is not there; ``Unknown`` when nobody can be asked."""
    try:
        return ask(server, statement, host)
    except CommandFailed as failed:
        if _NOTHING_THERE.search(failed.completed.err):
            return []
        unknown: Optional[Unknown] = why_unknown(failed, server)
        if unknown is None:
            raise
        return unknown
