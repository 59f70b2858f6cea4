"""OVN: its databases on the controller, and the controller of its own on every host with a switch."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from installer import confinement
from installer.addresses import address_of, bracketed
from installer.cloud import Cloud, CloudHost
from installer.ports import GENEVE, PORTS, Opening
from installer.render import rendered_file
from installer.resources.answering import Answering
from installer.resources.base import Resource
from installer.resources.openvswitch import OvsSetting
from installer.resources.ovsdb_listener import OvsdbListener
from installer.resources.package import Package
from installer.resources.unit import Unit
from installer.roles import Role
from roles.openvswitch import wiring
from roles.openvswitch.role import LISTENS_WITHIN

#: Databases by the name of their port.
DATABASES = {"ovn-northbound": "northbound", "ovn-southbound": "southbound"}
#: Milliseconds of silence after which a connection to a database is tested: a controller under load may take longer
#: than the 5 seconds that are the default, and everybody who reconnects then reads all of the database again.
PROBE = 60000
#: What keeps routers from taking long packets of switches in userspace for too long.
BYPASS = "/etc/pystack/ovn-tcp-bypass.sh"
BYPASS_UNIT = "pystack-ovn-tcp-bypass.service"
NORTHBOUND_SOCKET = "unix:/run/ovn/ovnnb_db.sock"


class OVN(Role):
    """OVN's databases and ovn-northd on the controller, ovn-controller on the hosts that carry networks."""

    name = "ovn"
    title = "Virtual networks (OVN)"
    groups = ("controller", *wiring.GROUPS)
    after_here = ("base", "openvswitch")

    def wanted(self, cloud: Cloud) -> bool:
        return bool(cloud.answers["CONFIG_NEUTRON_INSTALL"])

    def ports(self, cloud: Cloud, host: CloudHost) -> Mapping[int, tuple[str, ...]]:
        return {PORTS[name]: ("ovsdb-server",) for name in DATABASES} if "controller" in host.groups else {}

    def openings(self, cloud: Cloud, host: CloudHost) -> Iterable[Opening]:
        yield from super().openings(cloud, host)
        if host.groups & set(wiring.GROUPS):
            yield Opening(GENEVE, GENEVE, "udp", users=False)

    def resources(self, cloud: Cloud, host: CloudHost) -> Iterable[Resource]:
        if "controller" in host.groups:
            yield from self._central(host)
            yield from self._bypass(cloud, host)
        if host.groups & set(wiring.GROUPS):
            yield from self._controller(cloud, host)

    def _central(self, host: CloudHost) -> Iterable[Resource]:
        facts = self.facts(host)
        yield Package(facts["central"])
        yield from confinement.resources(facts, host)
        for unit in facts["central_units"]:
            yield Unit(unit)
        for name, database in DATABASES.items():
            yield OvsdbListener(database, PORTS[name], address_of(host), PROBE)
        for name, database in DATABASES.items():
            where = f"{bracketed(address_of(host))}:{PORTS[name]}"
            yield Answering(name, tcp=where, limit=LISTENS_WITHIN, unit=facts[f"{database}_unit"])

    def _bypass(self, cloud: Cloud, host: CloudHost) -> Iterable[Resource]:
        if not wiring.in_userspace(cloud):
            yield Unit(BYPASS_UNIT, enabled=False, active=False)
            return
        unit_file = f"/etc/systemd/system/{BYPASS_UNIT}"
        yield rendered_file(BYPASS, "ovn/tcp-bypass.sh.j2", mode=0o755, socket=NORTHBOUND_SOCKET)
        database = self.facts(host)["northbound_unit"]
        yield rendered_file(unit_file, "ovn/tcp-bypass.service.j2", script=BYPASS, database=database)
        yield Unit(BYPASS_UNIT, reads=(BYPASS, unit_file))

    def _controller(self, cloud: Cloud, host: CloudHost) -> Iterable[Resource]:
        facts = self.facts(host)
        yield Package(facts["host"])
        for key, value in settings(cloud, host).items():
            yield OvsSetting("external_ids", key, value)
        for unit in facts["host_units"]:
            yield Unit(unit)


def connection(cloud: Cloud, name: str) -> str:
    """Return where one of OVN's databases is, as its clients write it.

    Args:
        cloud: the cloud.
        name: ``ovn-northbound`` or ``ovn-southbound``.
    """
    return f"tcp:{bracketed(address_of(cloud.first('controller')))}:{PORTS[name]}"


def settings(cloud: Cloud, host: CloudHost) -> dict[str, str | None]:
    """Return what ovn-controller is told on a host, by the key in Open vSwitch's external_ids; None: nothing.

    The chassis' name, ``system-id``, is not among them: Open vSwitch writes it anew at each start from a file of its
    own, and a chassis that changes its name leaves one behind that has the same address.
    """
    mappings = ",".join(f"{network}:{bridge}" for network, bridge in wiring.bridge_mappings(cloud, host))
    return {
        # Nova and Neutron know a host by the name that its kernel has, unless they are told another.
        "hostname": str(host.facts.get("hostname", host.address)),
        "ovn-remote": connection(cloud, "ovn-southbound"),
        "ovn-remote-probe-interval": str(PROBE),
        "ovn-encap-type": "geneve",
        "ovn-encap-ip": wiring.tunnel_address(cloud, host),
        "ovn-bridge-datapath-type": wiring.datapath(cloud, host),
        "ovn-bridge-mappings": mappings or None,
        # Routers' ways to the outside are placed on these hosts.
        "ovn-cms-options": "enable-chassis-as-gw" if "network" in host.groups else None,
    }


ROLE = OVN()
