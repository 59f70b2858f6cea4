"""The firewall that a host has: the ports of the cloud are opened in it, before anything listens there."""

from __future__ import annotations

import ipaddress
from collections.abc import Iterable

from installer import peers
from installer.cloud import GROUPS, Cloud, CloudHost
from installer.ports import Opening
from installer.resources.base import Resource
from installer.resources.firewall_port import MANAGERS, FirewallPort
from installer.roles import Role, all_roles, openings_of


class Firewall(Role):
    """Open ports where firewalld or ufw looks after the host; any other firewall is the operator's."""

    name = "firewall"
    title = "Open ports"
    groups = GROUPS
    before_packages = True

    def wanted(self, cloud: Cloud) -> bool:
        return any(_manager(host) for host in cloud.hosts)

    def resources(self, cloud: Cloud, host: CloudHost) -> Iterable[Resource]:
        manager = _manager(host)
        if not manager:
            return
        for opening in openings_of(all_roles(), cloud, host):
            others = () if opening.users else peers.of(cloud, host, opening)
            # A cloud of one host has nobody else to let in.
            if opening.users or others:
                where = zones(cloud, host, opening) if manager == "firewalld" else ()
                yield FirewallPort(manager, opening.ports, opening.protocol, others, where)


def zones(cloud: Cloud, host: CloudHost, opening: Opening) -> tuple[str, ...]:
    """Return the zones of firewalld in which packets of other machines to an opening arrive."""
    told = host.facts["firewall"]
    found = [zone_of(name, told) for name in peers.arrival(cloud, host, opening)] or [told["default_zone"]]
    others = peers.of(cloud, host, opening)
    found += [zone for zone, entry in told["zones"].items() if any(_has(entry["sources"], text) for text in others)]
    return tuple(dict.fromkeys(found))


def zone_of(interface: str, firewall: dict[str, object]) -> str:
    """Return the zone of firewalld that an interface is in.

    Args:
        interface: its name.
        firewall: see ``installer.agent.firewall.firewall``.
    """
    zones: dict[str, dict[str, list[str]]] = firewall["zones"]  # type: ignore[assignment]
    named = (zone for zone, entry in zones.items() if interface in entry["interfaces"])
    return next(named, str(firewall["default_zone"]))


def _has(sources: Iterable[str], address: str) -> bool:
    """Tell whether an address is among the sources of a zone; they may be sets of addresses or hardware addresses."""
    for source in sources:
        try:
            if ipaddress.ip_address(address) in ipaddress.ip_network(source, strict=False):
                return True
        except ValueError:
            continue
    return False


def _manager(host: CloudHost) -> str:
    manager = str(host.facts.get("firewall", {}).get("manager", ""))
    return manager if manager in MANAGERS else ""


ROLE = Firewall()
