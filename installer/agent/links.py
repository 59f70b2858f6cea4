"""The network interfaces of this host, and who looks after them. Changes nothing."""

from __future__ import annotations

import json
import os
from typing import Any, Dict, List

from installer.agent.host import Host
from installer.agent.units import NETWORK, units
from installer.resources.texts import text_of

#: NetworkManager's notes on an interface, by its number.
NETWORKMANAGER = "/run/NetworkManager/devices/{}"
SYSTEM = "/sys/class/net"
#: Flags of an interface: see linux/if.h.
IS_UP = 1


def links(host: Host, system: str = SYSTEM) -> Dict[str, Dict[str, Any]]:
    """Return what is known of each interface: ``mtu`` in bytes, whether it is switched on (``up``), whether a
    ``carrier`` is there, which addresses are ``lent`` by DHCP or a router, and whether ``networkmanager`` has it.

    Args:
        host: the host.
        system: where Linux tells of interfaces.
    """
    lent = parse_lent(host.run(["ip", "-json", "address", "show", "scope", "global"], expect=None).out)
    names = [name for name in sorted(os.listdir(system)) if _is_link(system, name)]
    return {name: {**_link(os.path.join(system, name)), "lent": lent.get(name, [])} for name in names}


def parse_lent(text: str) -> Dict[str, List[str]]:
    """Return the addresses in the output of ``ip -json address`` that end some day, by interface."""
    try:
        told = json.loads(text or "[]")
    except ValueError:
        return {}
    return {
        link["ifname"]: [entry["local"] for entry in link.get("addr_info", ()) if entry.get("dynamic")]
        for link in told
        if "ifname" in link
    }


def managers(host: Host) -> List[str]:
    """Return the titles of the programs that look after interfaces here."""
    titles = {"NetworkManager.service": "NetworkManager", "systemd-networkd.service": "systemd-networkd"}
    titles.update({"networking.service": "ifupdown", "wickedd.service": "wicked"})
    states = units(host)
    return [titles[unit] for unit in NETWORK if states.get(unit, {}).get("active") == "active"]


def _link(folder: str) -> Dict[str, Any]:
    flags = int(text_of(os.path.join(folder, "flags")).strip() or "0", 16)
    up = bool(flags & IS_UP)
    # Where it is switched off the kernel does not say, and reading fails.
    carrier = text_of(os.path.join(folder, "carrier")).strip() if up else ""
    index = text_of(os.path.join(folder, "ifindex")).strip()
    return {
        "mtu": int(text_of(os.path.join(folder, "mtu")).strip() or "0"),
        "up": up,
        "carrier": carrier != "0" and up,
        "networkmanager": "managed=true" in text_of(NETWORKMANAGER.format(index)),
    }


def _is_link(system: str, name: str) -> bool:
    # bonding_masters is a file of its own.
    return os.path.isdir(os.path.join(system, name))
