"""Handing an interface over to a bridge where NetworkManager looks after it.

NetworkManager looks after ports of Open vSwitch only where it has made the bridge itself. So both are taken from it,
and a unit of pystack gives the bridge its addresses and routes; they must be fixed ones.
"""

from __future__ import annotations

import json
import shlex
from typing import Any, Dict, List, Sequence

from installer.agent.host import Host
from installer.resources.base import CannotFix
from installer.resources.handover import Handover, head

TITLE = "NetworkManager"
UNIT = "NetworkManager.service"
FILE = "/etc/NetworkManager/conf.d/90-pystack-{}.conf"
ADDRESSES_UNIT = "pystack-addresses-{}.service"
SCRIPT = "/etc/pystack/addresses-{}.sh"
RESOLV_CONF = "/etc/resolv.conf"


def looks_after(interface: str, host: Host) -> bool:
    """Tell whether a connection of NetworkManager is active on the interface."""
    told = host.run(["nmcli", "--get-values=GENERAL.CONNECTION", "device", "show", interface], expect=None, timeout=20)
    return told.code == 0 and told.out.strip() not in ("", "--")


def plan(interface: str, bridge: str, addresses: Sequence[str], host: Host) -> Handover:
    """Return the handover of an interface.

    Args:
        interface: the interface.
        bridge: the bridge.
        addresses: what moves; nothing: the bridge is left to itself.
        host: the host.

    Raises:
        CannotFix: its addresses come from DHCP or a router.
    """
    links = json.loads(host.run(["ip", "-json", "address", "show", "dev", interface]).out)
    refuse_dynamic(interface, links)
    routes: List[Dict[str, Any]] = []
    for family in ("-4", "-6"):
        routes += json.loads(host.run(["ip", family, "-json", "route", "show", "dev", interface]).out or "[]")
    told = host.run(["nmcli", "--get-values=IP4.DNS,IP6.DNS", "device", "show", interface], expect=None, timeout=20)
    with open(RESOLV_CONF, encoding="utf-8", errors="replace") as stream:
        servers = name_servers(stream.read()) if addresses and told.out.strip() else []
    return way(interface, bridge, addresses, routes, servers)


def refuse_dynamic(interface: str, links: Sequence[Dict[str, Any]]) -> None:
    """Refuse addresses that are lent, by ``ip -json address``; raises CannotFix."""
    lent = [
        entry["local"]
        for link in links
        for entry in link.get("addr_info", ())
        if entry.get("scope") == "global" and entry.get("dynamic")
    ]
    if lent:
        raise CannotFix(
            f"{interface} has {', '.join(lent)} from DHCP or a router, by NetworkManager, and a bridge would not renew "
            f"it; give {interface} a fixed address, or the bridge another interface"
        )


def name_servers(text: str) -> List[str]:
    """Return the name servers of a resolv.conf(5)."""
    return [line.split()[1] for line in text.splitlines() if line.startswith("nameserver ")]


def way(
    interface: str, bridge: str, addresses: Sequence[str], routes: Sequence[Dict[str, Any]], servers: Sequence[str]
) -> Handover:
    """Return the handover.

    Args:
        interface: the interface.
        bridge: the bridge.
        addresses: what moves, with prefix lengths.
        routes: those through the interface, by ``ip -json route``; the kernel makes its own again.
        servers: name servers that NetworkManager would lose with the interface's connection.
    """
    unit, script = ADDRESSES_UNIT.format(interface), SCRIPT.format(interface)
    name = f"/etc/systemd/system/{unit}"
    files = {
        FILE.format(interface): port(interface, bridge, bool(addresses), servers),
        script: _script(interface, bridge, addresses, routes),
        name: _unit(interface, bridge, script),
    }
    reload, release = ("nmcli", "general", "reload"), ("nmcli", "device", "set", interface, "managed", "no")
    start = (("systemctl", "daemon-reload"), ("systemctl", "enable", "--now", unit))
    return Handover(
        files,
        after=(reload, release, ("ip", "address", "flush", "dev", interface, "scope", "global"), *start),
        back_before=(("systemctl", "disable", "--now", unit),),
        back=(
            ("systemctl", "daemon-reload"),
            reload,
            ("nmcli", "device", "set", interface, "managed", "yes"),
            ("nmcli", "device", "connect", interface),
        ),
    )


def port(interface: str, bridge: str, took: bool, servers: Sequence[str] = ()) -> str:
    """Return what takes an interface and its bridge from NetworkManager; see ``installer.resources.handover.head``."""
    text = f"{head(interface, bridge, took)}\n"
    for name in (interface, bridge):
        text += f"[device-pystack-{name}]\nmatch-device=interface-name:{name}\nmanaged=0\n"
    if servers:
        text += f"[global-dns-domain-*]\nservers={','.join(servers)}\n"
    return text


def _script(interface: str, bridge: str, addresses: Sequence[str], routes: Sequence[Dict[str, Any]]) -> str:
    words = [["ip", "link", "set", interface, "up"]]
    if addresses:
        words.append(["ip", "link", "set", bridge, "up"])
    words += [["ip", "address", "replace", address, "dev", bridge] for address in addresses]
    for route in routes:
        if route.get("protocol") == "kernel":
            continue
        via = ["via", route["gateway"]] if "gateway" in route else []
        metric = ["metric", str(route["metric"])] if "metric" in route else []
        family = "-6" if ":" in route["dst"] + route.get("gateway", "") else "-4"
        words.append(["ip", family, "route", "replace", route["dst"], *via, "dev", bridge, *metric])
    lines = [shlex.join(line) for line in words]
    first = f"# Made by pystack: what {bridge} took over from {interface}. Addresses may be changed here."
    return "\n".join(["#!/bin/sh", "set -e", first, *lines, ""])


def _unit(interface: str, bridge: str, script: str) -> str:
    return f"""# Made by pystack: NetworkManager does not look after bridges of Open vSwitch.
[Unit]
Description=Addresses of {bridge}, whose port is {interface}
After=ovs-vswitchd.service
# In userspace the bridge's own interface is made anew whenever the switch starts.
PartOf=ovs-vswitchd.service
Before=network-online.target

[Service]
Type=oneshot
RemainAfterExit=yes
ExecStart=/bin/sh {script}

[Install]
WantedBy=multi-user.target
"""
