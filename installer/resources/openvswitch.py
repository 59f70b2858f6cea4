"""Open vSwitch: its own settings, and its bridges."""

from __future__ import annotations

import dataclasses
from typing import ClassVar, Dict, List, Mapping, Optional, Sequence, Tuple

from installer.agent.host import Host
from installer.resources.base import Actual, Resource, State
from installer.resources.ovsdb import NotThere, Row, ask, change, quoted

PROGRAM = "ovs-vsctl"
#: The kernel's datapath, which Open vSwitch also means where a bridge names none.
KERNEL = "system"


@dataclasses.dataclass(frozen=True)
class OvsSetting(Resource):
    """A key of Open vSwitch's own row: what ovn-controller and the switch are told on this host.

    Args:
        column: ``external_ids`` or ``other_config``.
        key: such as ``ovn-remote``.
        value: its value; None: there is no such key.
    """

    kind: ClassVar[str] = "ovs-setting"

    column: str
    key: str
    value: Optional[str]

    @property
    def name(self) -> str:
        return f"{self.column}:{self.key}"

    def expected(self) -> State:
        return None if self.value is None else {"value": self.value}

    @classmethod
    def query(cls, resources: Sequence[OvsSetting], host: Host) -> Dict[str, Actual]:
        columns = ",".join(sorted({resource.column for resource in resources}))
        try:
            ((row,),) = ask(PROGRAM, [f"Open_vSwitch {columns}"], host)
        except NotThere as problem:
            # Where it is not even installed, no key is set.
            return {resource.id: problem.state() if problem.installed else None for resource in resources}
        return {resource.id: resource.state(row) for resource in resources}

    def state(self, row: Row) -> Actual:
        """Return the actual state from the row of Open_vSwitch."""
        held: Mapping[str, str] = row[self.column]
        return {"value": held[self.key]} if self.key in held else None

    def fix(self, actual: Actual, host: Host) -> None:
        self.fix_all([(self, actual)], host)

    @classmethod
    def fix_all(cls, differing: Sequence[Tuple[OvsSetting, Actual]], host: Host) -> None:
        words: List[str] = []
        for setting, _ in differing:
            words += ["--"] if words else []
            words += setting.words()
        change(PROGRAM, words, host)

    def words(self) -> List[str]:
        """Return the command that makes it so."""
        if self.value is None:
            return ["remove", "Open_vSwitch", ".", self.column, quoted(self.key)]
        return ["set", "Open_vSwitch", ".", f"{self.column}:{quoted(self.key)}={quoted(self.value)}"]


@dataclasses.dataclass(frozen=True)
class OvsBridge(Resource):
    """A bridge. Its ports are not its business.

    Args:
        bridge: its name.
        datapath_type: ``system`` for the kernel's, ``netdev`` for the one in userspace.
        fail_mode: what it does without a controller: ``standalone`` (as a plain switch) or ``secure`` (nothing).
        other_config: keys and values of its other_config; others are left alone.
    """

    kind: ClassVar[str] = "ovs-bridge"

    bridge: str
    datapath_type: str
    fail_mode: str = "standalone"
    other_config: Tuple[Tuple[str, str], ...] = ()

    @property
    def name(self) -> str:
        return self.bridge

    def expected(self) -> State:
        return {
            "datapath_type": self.datapath_type,
            "fail_mode": self.fail_mode,
            **{f"other_config:{key}": value for key, value in self.other_config},
        }

    @classmethod
    def query(cls, resources: Sequence[OvsBridge], host: Host) -> Dict[str, Actual]:
        tables = ["Bridge name,datapath_type,datapath_id,fail_mode,other_config", "Interface name,error"]
        try:
            bridges, interfaces = ask(PROGRAM, tables, host)
        except NotThere as problem:
            return {resource.id: problem.state() if problem.installed else None for resource in resources}
        rows = {row["name"]: row for row in bridges}
        errors = {row["name"]: row["error"] or "" for row in interfaces}
        return {
            resource.id: resource.state(rows.get(resource.bridge), errors.get(resource.bridge, ""))
            for resource in resources
        }

    def state(self, row: Optional[Row], error: str) -> Actual:
        """Return the actual state.

        Args:
            row: the bridge's, if there is one.
            error: why ovs-vswitchd could not make its local port.
        """
        if row is None:
            return None
        held: Mapping[str, str] = row["other_config"]
        if not row["datapath_id"]:
            # Given to it by ovs-vswitchd; without the datapath nothing but its log tells why.
            error = "ovs-vswitchd cannot make its datapath, which its log explains"
        return {
            "datapath_type": row["datapath_type"] or KERNEL,
            # Without one it is standalone: see ovs-vswitchd.conf.db(5).
            "fail_mode": row["fail_mode"] or "standalone",
            **{f"other_config:{key}": held[key] for key, _ in self.other_config if key in held},
            **({"error": error} if error else {}),
        }

    def fix(self, actual: Actual, host: Host) -> None:
        settings = [f"datapath_type={self.datapath_type}", f"fail_mode={self.fail_mode}"]
        settings += [f"other_config:{quoted(key)}={quoted(value)}" for key, value in self.other_config]
        words = ["--may-exist", "add-br", self.bridge, "--", "set", "Bridge", self.bridge, *settings]
        change(PROGRAM, words, host, wait=True)
