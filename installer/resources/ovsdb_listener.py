"""Where a database of Open vSwitch or OVN listens for clients that do not come over its local socket."""

from __future__ import annotations

import dataclasses
import re
from typing import ClassVar, Dict, List, NamedTuple, Sequence

from installer.agent.host import Host
from installer.resources.base import Actual, Resource, State
from installer.resources.ovsdb import NotThere, Row, ask, ask_soon, change, quoted


class Database(NamedTuple):
    """How to ask and change where a database listens: program, table, and where the table's rows are referred to."""

    program: str
    table: str
    parent: str
    column: str


DATABASES = {
    "ovs": Database("ovs-vsctl", "Manager", "Open_vSwitch", "manager_options"),
    "northbound": Database("ovn-nbctl", "Connection", "NB_Global", "connections"),
    "southbound": Database("ovn-sbctl", "Connection", "SB_Global", "connections"),
}
COLUMNS = "_uuid,target,inactivity_probe"


@dataclasses.dataclass(frozen=True)
class OvsdbListener(Resource):
    """A database listens on a TCP port, at one address of it. Other ports of the same database are left alone.

    Args:
        database: ``ovs``, ``northbound`` or ``southbound``.
        port: its TCP port.
        address: IP address to listen on.
        probe: milliseconds of silence after which it asks a client whether it is still there.
    """

    kind: ClassVar[str] = "ovsdb-listener"

    database: str
    port: int
    address: str
    probe: int = 60000

    @property
    def name(self) -> str:
        return f"{self.database}:{self.port}"

    @property
    def target(self) -> str:
        """The listener as the database writes it: see ovsdb(7), Connection Methods."""
        return f"ptcp:{self.port}:{f'[{self.address}]' if ':' in self.address else self.address}"

    def expected(self) -> State:
        return {"listens": [self.target], "probe": self.probe}

    @classmethod
    def query(cls, resources: Sequence[OvsdbListener], host: Host) -> Dict[str, Actual]:
        rows: Dict[str, object] = {}
        found: Dict[str, Actual] = {}
        for name in dict.fromkeys(resource.database for resource in resources):
            database = DATABASES[name]
            try:
                (rows[name],) = ask(database.program, [f"{database.table} {COLUMNS}"], host)
            except NotThere as problem:
                rows[name] = problem.state() if problem.installed else None
        for resource in resources:
            answer = rows[resource.database]
            found[resource.id] = resource.state(answer) if isinstance(answer, list) else answer  # type: ignore[assignment]
        return found

    def state(self, rows: Sequence[Row]) -> Actual:
        """Return the actual state from the table's rows."""
        ours = self.on_port(rows)
        if not ours:
            return None
        probes = {row["inactivity_probe"] for row in ours if isinstance(row["inactivity_probe"], int)}
        return {
            "listens": sorted(row["target"] for row in ours),
            "probe": probes.pop() if len(probes) == 1 else None,
        }

    def on_port(self, rows: Sequence[Row]) -> List[Row]:
        """Return the rows that listen on this port."""
        return [row for row in rows if re.match(rf"p(?:tcp|ssl):{self.port}(?::|$)", row["target"])]

    def fix(self, actual: Actual, host: Host) -> None:
        database = DATABASES[self.database]
        (rows,) = ask_soon(database.program, [f"{database.table} {COLUMNS}"], host)
        change(database.program, self.words(self.on_port(rows)), host)

    def words(self, ours: Sequence[Row]) -> List[str]:
        """Return the commands that make it so.

        Args:
            ours: the rows that listen on this port now.
        """
        database = DATABASES[self.database]
        values = [f"target={quoted(self.target)}", f"inactivity_probe={self.probe}"]
        if ours:
            words = ["set", database.table, ours[0]["_uuid"], *values]
        else:
            words = ["--id=@listener", "create", database.table, *values]
            words += ["--", "add", database.parent, ".", database.column, "@listener"]
        for row in ours[1:]:
            # A row that nothing refers to is gone.
            words += ["--", "remove", database.parent, ".", database.column, row["_uuid"]]
        return words
