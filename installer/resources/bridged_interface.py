"""An interface of the host that is a port of a bridge, which takes over its addresses.

The link to the controller may run over that very interface. So the handover undoes itself after a while, and at the
next boot, unless the controller was heard again after it.
"""

from __future__ import annotations

import dataclasses
import json
import os
import shutil
import stat
import time
from typing import Any, ClassVar, Dict, List, Mapping, Optional, Sequence

from installer.agent.host import Host
from installer.resources import handover, handover_ifupdown, handover_networkd, handover_networkmanager
from installer.resources.base import Actual, CannotFix, Resource, State
from installer.resources.file import write_atomically
from installer.resources.ovsdb import NotThere, Row, ask, change, quoted, several
from installer.resources.unit import MANAGER

#: Seconds from the beginning of a handover until it is undone unless it was confirmed.
UNDO_AFTER = 90
#: Seconds until the controller must have been heard again: a lost packet is sent again after 1, 3, 7, 15, 31.
HEARD_WITHIN = 45.0
#: Seconds that undoing it takes, and until a packet is sent again after that.
UNDONE_WITHIN = 90
#: Seconds for the bridge to have the addresses.
SETTLED_WITHIN = 20.0

CLASS_NET = "/sys/class/net"

#: What may look after a host's interfaces; the first that does, does.
MANAGERS = (handover_networkd, handover_networkmanager, handover_ifupdown)


@dataclasses.dataclass(frozen=True)
class BridgedInterface(Resource):
    """An interface is a port of a bridge of Open vSwitch, up, and without addresses: the bridge has them, now and at
    boot.

    Args:
        interface: its name.
        bridge: the bridge's, which must exist.
    """

    kind: ClassVar[str] = "bridged-interface"

    interface: str
    bridge: str

    @property
    def name(self) -> str:
        return self.interface

    def expected(self) -> State:
        return {"bridge": self.bridge, "addresses": [], "at boot": "a port"}

    @classmethod
    def query(cls, resources: Sequence[BridgedInterface], host: Host) -> Dict[str, Actual]:
        try:
            tables = ask("ovs-vsctl", ["Bridge name,ports", "Port _uuid,name", "Interface name,error"], host)
        except NotThere as problem:
            held = global_addresses(host)
            return {
                resource.id: problem.state() if problem.installed else resource.state({}, {}, held, "")
                for resource in resources
            }
        held = global_addresses(host)
        bridges = bridges_of_ports(tables[0], tables[1])
        errors = {row["name"]: row["error"] or "" for row in tables[2]}
        return {
            resource.id: resource.state(bridges, errors, held, first_line_of_file(resource.interface))
            for resource in resources
        }

    def state(
        self, bridges: Mapping[str, str], errors: Mapping[str, str], held: Mapping[str, Sequence[str]], first: str
    ) -> Actual:
        """Return the actual state.

        Args:
            bridges: bridge by port.
            errors: what ovs-vswitchd says against an interface, by interface.
            held: global addresses with prefix length by interface; an interface that is not there is missing.
            first: first line of the file that makes it a port at boot.
        """
        if self.interface not in held:
            return {"interface": "is not there"}
        heads = [handover.head(self.interface, self.bridge, took) for took in (True, False)]
        error = errors.get(self.interface)
        return {
            "bridge": bridges.get(self.interface),
            "addresses": list(held[self.interface]),
            "at boot": "a port" if first in heads else "as before",
            **({"error": error} if error else {}),
        }

    def explain(self, actual: Actual, host: Host) -> List[str]:
        if isinstance(actual, dict) and actual.get("addresses"):
            return [f"  its addresses move to {self.bridge}: {', '.join(actual['addresses'])}"]
        return super().explain(actual, host)

    def fix(self, actual: Actual, host: Host) -> None:
        held = global_addresses(host)
        refuse(self.interface, self.bridge, held, os.listdir(f"{CLASS_NET}/{self.interface}"))
        addresses = held[self.interface]
        way = manager_of(self.interface, addresses, host).plan(self.interface, self.bridge, addresses, host)
        made = not (isinstance(actual, dict) and actual.get("bridge") == self.bridge)
        prepare(self, way, addresses, made, host)
        host.announce_silence(UNDO_AFTER + UNDONE_WITHIN)
        try:
            add_port(self, bool(addresses), host)
            for command in way.before:
                host.run(command, timeout=30)
            for path, content in way.files.items():
                mode = stat.S_IMODE(os.stat(path).st_mode) if os.path.exists(path) else 0o644
                write_atomically(path, content.encode("utf-8", "surrogateescape"), "root", "root", mode)
            for command in way.after:
                host.run(command, timeout=30)
            wait_until_moved(self, addresses, host)
            if not host.controller_answers(HEARD_WITHIN):
                raise CannotFix(
                    f"after {self.bridge} had taken over {self.interface}, the controller was not heard for "
                    f"{HEARD_WITHIN:.0f} s, so {self.interface} was given back"
                )
        except BaseException:
            # Should this fail too, its timer runs it again.
            host.run(["systemctl", "start", handover.UNDO_UNIT.format(self.interface)], timeout=60)
            raise
        forget(self, host)

    def diagnose(self, host: Host) -> List[str]:
        lines = host.run(["ip", "-brief", "address"], expect=None, timeout=10).out.splitlines()
        unit = handover.UNDO_UNIT.format(self.interface)
        argv = ["journalctl", f"--unit={unit}", "--lines=5", "--no-pager", "--output=cat"]
        return [*lines, *host.run(argv, expect=None, timeout=20).out.splitlines()]


def refuse(interface: str, bridge: str, held: Mapping[str, Any], entries: Sequence[str]) -> None:
    """Refuse an interface that cannot become a port without harm.

    Args:
        interface: its name.
        bridge: the bridge's.
        held: interfaces of the host with their addresses.
        entries: what /sys/class/net holds of the interface.

    Raises:
        CannotFix: with the reason and what to do.
    """
    if interface not in held:
        raise CannotFix(f"there is no interface {interface} on this host; there are: {', '.join(sorted(held))}")
    on_top = [entry[len("upper_") :] for entry in entries if entry.startswith("upper_")]
    if "master" in entries or on_top:
        what = f"carries {', '.join(on_top)}" if on_top else "is part of another device"
        raise CannotFix(
            f"{interface} {what}, which would lose its connection if {interface} became a port of {bridge}; give the "
            f"bridge an interface that nothing else is built on"
        )


def bridges_of_ports(bridges: Sequence[Row], ports: Sequence[Row]) -> Dict[str, str]:
    """Return the bridge of each port, both by name."""
    names = {row["_uuid"]: row["name"] for row in ports}
    return {names[port]: row["name"] for row in bridges for port in several(row["ports"])}


def global_addresses(host: Host) -> Dict[str, List[str]]:
    """Return the global addresses with prefix length of every interface that there is."""
    return parse_addresses(host.run(["ip", "-json", "address", "show"]).out)


def parse_addresses(output: str) -> Dict[str, List[str]]:
    """Parse ``ip -json address show``; see ``global_addresses``."""
    return {
        link["ifname"]: [
            f"{entry['local']}/{entry['prefixlen']}"
            for entry in link.get("addr_info", ())
            if entry.get("scope") == "global"
        ]
        for link in json.loads(output)
    }


def manager_of(interface: str, addresses: Sequence[str], host: Host) -> Any:
    """Return the module that knows what looks after an interface, or shall look after it.

    Raises:
        CannotFix: it has addresses, and nobody knows where from; or nothing looks after interfaces here.
    """
    for manager in MANAGERS:
        if manager.looks_after(interface, host):
            return manager
    titles = ", ".join(manager.TITLE for manager in MANAGERS)
    if addresses:
        raise CannotFix(
            f"{interface} has the addresses {', '.join(addresses)}, which come from none of {titles}; pystack does not "
            "know how to give them to the bridge so that they come back at boot"
        )
    for manager in MANAGERS:
        if host.run(["systemctl", "is-active", "--quiet", manager.UNIT], expect=None).code == 0:
            return manager
    raise CannotFix(f"none of {titles} runs on this host, so nothing would make {interface} a port at boot")


def first_line_of_file(interface: str) -> str:
    """Return the first line of the file that makes an interface a port at boot; nothing without one."""
    for manager in MANAGERS:
        line = read(manager.FILE.format(interface)).partition("\n")[0]
        if line:
            return line
    return ""


def prepare(item: BridgedInterface, way: handover.Handover, addresses: Sequence[str], made: bool, host: Host) -> None:
    """Write what undoes the handover, and set the clock for it.

    Args:
        item: what becomes a port of what.
        way: how.
        addresses: what moves.
        made: whether it was no port before.
        host: the host.
    """
    folder, unit = handover.UNDO_FOLDER.format(item.interface), handover.UNDO_UNIT.format(item.interface)
    shutil.rmtree(folder, ignore_errors=True)
    os.makedirs(folder, mode=0o700)
    saved: Dict[str, Optional[str]] = {}
    for number, path in enumerate(way.files):
        saved[path] = f"{folder}/{number}" if os.path.exists(path) else None
        if os.path.exists(path):
            shutil.copy2(path, f"{folder}/{number}")
    script = handover.undo_script(item.interface, item.bridge, addresses, saved, way, made)
    write_atomically(f"{folder}/undo", script.encode(), "root", "root", 0o700)
    text = handover.undo_unit(item.interface)
    write_atomically(f"/etc/systemd/system/{unit}", text.encode(), "root", "root", 0o644)
    with MANAGER:
        host.run(["systemctl", "daemon-reload"])
        host.run(["systemctl", "enable", "--quiet", unit])
    timer = handover.UNDO_TIMER.format(item.interface)
    host.run(["systemd-run", "--quiet", f"--unit={timer}", f"--on-active={UNDO_AFTER}", "systemctl", "start", unit])


def forget(item: BridgedInterface, host: Host) -> None:
    """Take away what would undo the handover, which has worked."""
    unit = handover.UNDO_UNIT.format(item.interface)
    host.run(["systemctl", "stop", handover.UNDO_TIMER.format(item.interface) + ".timer"])
    with MANAGER:
        host.run(["systemctl", "disable", "--quiet", unit])
        os.unlink(f"/etc/systemd/system/{unit}")
        shutil.rmtree(handover.UNDO_FOLDER.format(item.interface))
        host.run(["systemctl", "daemon-reload"])


def add_port(item: BridgedInterface, with_address: bool, host: Host) -> None:
    """Make the interface a port; a bridge that takes over addresses takes over the hardware address too."""
    words = ["--may-exist", "add-port", item.bridge, item.interface]
    if with_address:
        # Others know this host by it: switches, DHCP servers, and clouds that let no other address pass.
        hardware = read(f"{CLASS_NET}/{item.interface}/address").strip()
        words += ["--", "set", "Bridge", item.bridge, f"other_config:hwaddr={quoted(hardware)}"]
    change("ovs-vsctl", words, host, wait=True)


def wait_until_moved(item: BridgedInterface, addresses: Sequence[str], host: Host) -> None:
    """Wait until the bridge has the addresses and the interface none.

    Raises:
        CannotFix: it has not come to that in time.
    """
    deadline = time.monotonic() + SETTLED_WITHIN
    while True:
        held = global_addresses(host)
        missing = set(addresses) - set(held.get(item.bridge, ()))
        if not missing and not held.get(item.interface):
            return
        if time.monotonic() > deadline:
            lacks, kept = ", ".join(sorted(missing)), ", ".join(held.get(item.interface, ()))
            raise CannotFix(
                f"{SETTLED_WITHIN:.0f} s after the handover {item.bridge} lacks {lacks or 'nothing'} "
                f"and {item.interface} still has {kept or 'nothing'}"
            )
        time.sleep(0.2)


def read(path: str) -> str:
    """Return the text of a file; nothing if it is not there."""
    try:
        with open(path, encoding="utf-8", errors="replace") as stream:
            return stream.read()
    except OSError:
        return ""
