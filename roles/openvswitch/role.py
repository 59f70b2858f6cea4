"""Open vSwitch, with the bridges that connect a host to the physical networks."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from installer import confinement
from installer.cloud import Cloud, CloudHost
from installer.ports import PORTS
from installer.render import rendered_file
from installer.resources.answering import Answering
from installer.resources.base import Resource
from installer.resources.bridged_interface import BridgedInterface
from installer.resources.file import Directory, File
from installer.resources.openvswitch import OvsBridge, OvsSetting
from installer.resources.ovsdb_listener import OvsdbListener
from installer.resources.package import Package
from installer.resources.unit import Unit
from installer.roles import Role
from roles.openvswitch import wiring

#: What a unit is told beside what its package says.
FOLDER = "/etc/systemd/system/{}.d"
#: Agents on the same host talk to Open vSwitch here; oslo's defaults know this address.
LOOPBACK = "127.0.0.1"
#: The unit of its database, which all distributions call so, and the seconds in which that does what it now says.
SERVER, LISTENS_WITHIN = "ovsdb-server.service", 30.0
#: Ports of bridges in userspace whose packets the kernel's own network must not see.
PORTS_FILE = "/etc/pystack/userspace-ports.nft"
PORTS_SCRIPT = "/etc/pystack/userspace-ports.sh"
PORTS_UNIT = "pystack-userspace-ports.service"
TSO = "userspace-tso-enable"


class OpenvSwitch(Role):
    """Open vSwitch on the hosts that carry networks."""

    name = "openvswitch"
    title = "Switch (Open vSwitch)"
    groups = wiring.GROUPS
    after_here = ("base",)

    def wanted(self, cloud: Cloud) -> bool:
        return bool(cloud.answers["CONFIG_NEUTRON_INSTALL"])

    def ports(self, cloud: Cloud, host: CloudHost) -> Mapping[int, tuple[str, ...]]:
        return {PORTS["ovsdb"]: ("ovsdb-server",)}

    def resources(self, cloud: Cloud, host: CloudHost) -> Iterable[Resource]:
        facts, datapath = self.facts(host), wiring.datapath(cloud, host)
        yield Package(facts["package"])
        yield from confinement.resources(facts, host)
        yield from self._switch(host, datapath)
        yield OvsdbListener("ovs", PORTS["ovsdb"], LOOPBACK)
        # Its database may say so and the kernel not have let it: that is in its log only.
        yield Answering("ovsdb", tcp=f"{LOOPBACK}:{PORTS['ovsdb']}", limit=LISTENS_WITHIN, unit=SERVER)
        for bridge in dict.fromkeys(bridge for _, bridge in wiring.bridge_mappings(cloud, host)):
            yield OvsBridge(bridge, datapath)
        interfaces = wiring.bridged_interfaces(cloud, host)
        shared = bool(interfaces) and datapath == wiring.USERSPACE
        if not shared:
            yield Unit(PORTS_UNIT, enabled=False, active=False)
        for interface, bridge in interfaces:
            yield BridgedInterface(interface, bridge)
        if shared:
            yield from self._kept_from_the_kernel(host, [interface for interface, _ in interfaces])

    def _switch(self, host: CloudHost, datapath: str) -> Iterable[Resource]:
        facts = self.facts(host)
        folder = FOLDER.format(facts["switch"])
        path = f"{folder}/pystack.conf"
        if datapath == wiring.USERSPACE:
            yield Directory(folder)
            yield rendered_file(path, "openvswitch/ovs-vswitchd.service.j2", ovs_vsctl=facts["ovs_vsctl"], key=TSO)
        else:
            yield File(path, absent=True)
        if facts["name_recorder"]:
            folder = FOLDER.format(facts["name_recorder"])
            yield Directory(folder)
            yield rendered_file(f"{folder}/pystack.conf", "openvswitch/ovs-record-hostname.service.j2")
        for unit in facts["units"]:
            yield Unit(unit)
        yield Unit(facts["switch"], reads=(path,))
        if datapath != wiring.USERSPACE:
            yield OvsSetting("other_config", TSO, None)

    def _kept_from_the_kernel(self, host: CloudHost, interfaces: list[str]) -> Iterable[Resource]:
        facts, unit = self.facts(host), f"/etc/systemd/system/{PORTS_UNIT}"
        yield Package(facts["nftables"])
        yield rendered_file(PORTS_FILE, "openvswitch/userspace-ports.nft.j2", interfaces=interfaces)
        script = "openvswitch/userspace-ports.sh.j2"
        yield rendered_file(PORTS_SCRIPT, script, mode=0o755, nft=facts["nft"], file=PORTS_FILE, interfaces=interfaces)
        template = "openvswitch/userspace-ports.service.j2"
        yield rendered_file(unit, template, script=PORTS_SCRIPT, switch=facts["switch"])
        yield Unit(PORTS_UNIT, reads=(PORTS_FILE, PORTS_SCRIPT, unit))


ROLE = OpenvSwitch()
