"""The lab's network: one bridge, one private network, address translation to the outside."""

from __future__ import annotations

import ipaddress
import json
from collections.abc import Iterable
from ipaddress import IPv4Address, IPv4Network
from pathlib import Path
from typing import Any

from installer.lab import places
from installer.lab.places import LabRefused, command, read_state, write, write_state

_FORWARD = Path("/proc/sys/net/ipv4/ip_forward")
# The last one is the range for measurements between networks (RFC 2544), routed by nobody.
_CANDIDATES = [
    *(IPv4Network(f"10.91.{third}.0/24") for third in range(0, 256, 8)),
    *map(IPv4Network, ("172.27.91.0/24", "192.168.191.0/24", "198.18.91.0/24")),
]
_FIRST_HOST = 10
# Marks the bridge as the lab's own, so that nobody else's of the same name is ever touched.
_MARK = "pystack lab"


def _state_file() -> Path:
    return places.LAB / "network.json"


def current() -> IPv4Network | None:
    """Return the lab's network, or None while there is none."""
    state = read_state(_state_file())
    return IPv4Network(state["network"]) if state else None


def choose(taken: Iterable[str]) -> IPv4Network:
    """Return the first of the lab's candidate networks that overlaps nothing the machine has a route to.

    Args:
        taken: networks and addresses, such as ``192.0.2.0/24``; ``default`` and the like are passed over.

    Raises:
        LabRefused: when all are taken.
    """
    routes = [network for network in map(_network, taken) if network is not None]
    for candidate in _CANDIDATES:
        if not any(candidate.overlaps(route) for route in routes):
            return candidate
    raise LabRefused(
        f"every network the lab could use, {_CANDIDATES[0]} to {_CANDIDATES[-1]}, overlaps a route of this machine",
        "Look at `ip route` and take away what is no longer needed.",
    )


def _network(text: str) -> IPv4Network | None:
    try:
        network = IPv4Network(text, strict=False)
    except ValueError:
        return None
    return network if network.prefixlen else None


def ensure() -> IPv4Network:
    """Make the bridge, its address and the translation to the outside where they are missing, and return the network.

    Raises:
        LabRefused: when the bridge's name or all networks belong to somebody else.
    """
    network = current()
    bridge = _links().get(places.BRIDGE)
    if bridge is not None and bridge.get("ifalias") != _MARK:
        raise LabRefused(
            f"the network interface {places.BRIDGE} is not the lab's own",
            f"Rename or remove it (`ip -details link show {places.BRIDGE}` tells what it is).",
        )
    if network is None:
        if bridge is not None:
            command(["ip", "link", "delete", places.BRIDGE])
            bridge = None
        routes = json.loads(command(["ip", "-json", "-4", "route", "show", "table", "all"]))
        network = choose(route["dst"] for route in routes)
        write_state(_state_file(), {"network": str(network)})
    if bridge is None:
        command(["ip", "link", "add", places.BRIDGE, "type", "bridge"])
        command(["ip", "link", "set", places.BRIDGE, "alias", _MARK])
    command(["ip", "address", "replace", f"{gateway(network)}/{network.prefixlen}", "dev", places.BRIDGE])
    command(["ip", "link", "set", places.BRIDGE, "up"])
    command(["nft", "-f", "-"], stdin=ruleset(network, places.BRIDGE))
    _switch_forwarding_on()
    return network


def _former() -> Path:
    # Under /run, because a restart of the machine forgets the setting and its former value alike.
    return places.LOCKS / "former-ip-forward"


def _switch_forwarding_on() -> None:
    if not _former().exists():
        write(_former(), _FORWARD.read_text())
    if _FORWARD.read_text().strip() != "1":
        _FORWARD.write_text("1\n")


def _put_forwarding_back() -> None:
    if _former().exists():
        if _former().read_text() != _FORWARD.read_text():
            _FORWARD.write_text(_former().read_text())
        _former().unlink()


def ruleset(network: IPv4Network, bridge: str) -> str:
    """Return the nft script that replaces the lab's own table and touches no other.

    Args:
        network: the lab's network.
        bridge: the lab's bridge.
    """
    table = f"ip {places.TABLE}"
    # Lab hosts use 1500 bytes; the way out may carry less, and then not every router says so.
    return f"""table {table} {{}}
delete table {table}
table {table} {{
  chain postrouting {{
    type nat hook postrouting priority srcnat;
    ip saddr {network} oifname != "{bridge}" masquerade
  }}
  chain forward {{
    type filter hook forward priority filter;
    oifname != "{bridge}" tcp flags syn tcp option maxseg size set rt mtu
    iifname != "{bridge}" tcp flags syn tcp option maxseg size set rt mtu
  }}
}}
"""


def doubtful_firewall() -> list[str]:
    """Return a warning for each chain of this machine's firewall that drops forwarded packets unless told otherwise."""
    found = json.loads(command(["nft", "--json", "list", "chains"])).get("nftables", [])
    return [
        f"warning: the firewall of this machine drops forwarded packets (table {chain['family']} {chain['table']},"
        f" chain {chain['name']}); if lab hosts cannot reach the outside, let it accept what comes from {places.BRIDGE}"
        for chain in (entry["chain"] for entry in found if "chain" in entry)
        if chain.get("hook") == "forward" and chain.get("policy") == "drop"
    ]


def gateway(network: IPv4Network) -> IPv4Address:
    """Return the machine's own address in the lab's network."""
    return network[1]


def free_address(network: IPv4Network, used: Iterable[str]) -> str:
    """Return the lowest address that no lab host has.

    Args:
        network: the lab's network.
        used: addresses of the lab hosts there are.

    Raises:
        LabRefused: when the network is full.
    """
    occupied = {ipaddress.ip_address(address) for address in used}
    for number in range(_FIRST_HOST, network.num_addresses - 1):
        if network[number] not in occupied:
            return str(network[number])
    raise LabRefused(f"the lab's network {network} has no free address left", "Remove hosts with `pystack lab-down`.")


def forget_neighbour(address: str) -> None:
    """Drop what the machine remembers of an address, whose host may come back with another hardware address."""
    command(["ip", "neighbour", "flush", "to", address, "dev", places.BRIDGE])


def remove() -> None:
    """Take bridge and translation away and put the machine's forwarding back as it was."""
    links = _links()
    if links.get(places.BRIDGE, {}).get("ifalias") == _MARK:
        command(["ip", "link", "delete", places.BRIDGE])
        del links[places.BRIDGE]
    # Naming the table first makes the deletion succeed whether or not it is there.
    command(["nft", "-f", "-"], stdin=f"table ip {places.TABLE} {{}}\ndelete table ip {places.TABLE}\n")
    # The lab's own tests have a second lab beside the one in use.
    if not any(link.get("ifalias") == _MARK for link in links.values()):
        _put_forwarding_back()
    _state_file().unlink(missing_ok=True)


def _links() -> dict[str, dict[str, Any]]:
    return {link["ifname"]: link for link in json.loads(command(["ip", "-json", "link", "show"]))}
