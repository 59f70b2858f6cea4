"""The lab's networks: each a bridge with a private network and address translation to the outside.

The first is where the lab hosts live. The second, made with the first host that wants it, is the outside of a cloud on
them: floating addresses are reached there from this machine.
"""

from __future__ import annotations

import ipaddress
import json
from collections.abc import Iterable
from dataclasses import dataclass
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


@dataclass(frozen=True)
class Segment:
    """One network of the lab.

    Args:
        key: its name in the state file.
        bridge: its bridge on this machine.
        table: its table of nft.
    """

    key: str
    bridge: str
    table: str


def inner() -> Segment:
    """Return the network that the lab hosts live in."""
    return Segment("network", places.BRIDGE, places.TABLE)


def outer() -> Segment:
    """Return the network of the hosts' second interface."""
    return Segment("external", f"{places.BRIDGE}x", f"{places.TABLE}_external")


def _state_file() -> Path:
    return places.LAB / "network.json"


def _state() -> dict[str, str]:
    return read_state(_state_file()) or {}


def current(segment: Segment | None = None) -> IPv4Network | None:
    """Return one of the lab's networks, or None while there is none.

    Args:
        segment: which; None: the one that the hosts live in.
    """
    text = _state().get((segment or inner()).key)
    return IPv4Network(text) if text else None


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


def ensure(segment: Segment | None = None) -> IPv4Network:
    """Make bridge, address and translation to the outside where they are missing, and return the network.

    Args:
        segment: which network; None: the one that the hosts live in.

    Raises:
        LabRefused: when the bridge's name or all networks belong to somebody else.
    """
    segment = segment or inner()
    network, bridge = current(segment), _links().get(segment.bridge)
    if bridge is not None and bridge.get("ifalias") != _MARK:
        raise LabRefused(
            f"the network interface {segment.bridge} is not the lab's own",
            f"Rename or remove it (`ip -details link show {segment.bridge}` tells what it is).",
        )
    if network is None:
        if bridge is not None:
            command(["ip", "link", "delete", segment.bridge])
            bridge = None
        routes = json.loads(command(["ip", "-json", "-4", "route", "show", "table", "all"]))
        network = choose(route["dst"] for route in routes)
        write_state(_state_file(), {**_state(), segment.key: str(network)})
    if bridge is None:
        command(["ip", "link", "add", segment.bridge, "type", "bridge"])
        command(["ip", "link", "set", segment.bridge, "alias", _MARK])
    # A bridge that was given no address of its own takes the lowest of its ports: it would change as hosts come and go,
    # and what the others send would go to the former one.
    command(["ip", "link", "set", segment.bridge, "address", _links()[segment.bridge]["address"]])
    command(["ip", "address", "replace", f"{gateway(network)}/{network.prefixlen}", "dev", segment.bridge])
    command(["ip", "link", "set", segment.bridge, "up"])
    command(["nft", "-f", "-"], stdin=ruleset(network, segment))
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


def ruleset(network: IPv4Network, segment: Segment) -> str:
    """Return the nft script that replaces the table of one of the lab's networks and touches no other.

    Args:
        network: the network.
        segment: its bridge and table.
    """
    table = f"ip {segment.table}"
    own = f'{{ "{inner().bridge}", "{outer().bridge}" }}'
    # Lab hosts use 1500 bytes; the way out may carry less, and then not every router says so.
    return f"""table {table} {{}}
delete table {table}
table {table} {{
  chain postrouting {{
    type nat hook postrouting priority srcnat;
    ip saddr {network} oifname != {own} masquerade
  }}
  chain forward {{
    type filter hook forward priority filter;
    iifname "{segment.bridge}" oifname != {own} tcp flags syn tcp option maxseg size set rt mtu
    iifname != {own} oifname "{segment.bridge}" tcp flags syn tcp option maxseg size set rt mtu
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


def counterpart(address: str, network: IPv4Network) -> str:
    """Return the address that a host has in another of the lab's networks: the one of the same number.

    Args:
        address: the host's, in the network that it lives in.
        network: the other one.
    """
    return str(network[int(ipaddress.ip_address(address)) & int(network.hostmask)])


def floating(address: str, network: IPv4Network) -> tuple[str, str]:
    """Return the first and the last of the ten addresses that a cloud may give to its instances.

    Args:
        address: its controller's; fifteen controllers with numbers in a row get different ones.
        network: the lab's network that is the outside of clouds.
    """
    number = int(ipaddress.ip_address(address)) & int(network.hostmask)
    first = 100 + 10 * ((number - _FIRST_HOST) % 15)
    return str(network[first]), str(network[first + 9])


def forget_neighbour(address: str, segment: Segment | None = None) -> None:
    """Drop what the machine remembers of an address, whose host may come back with another hardware address.

    Args:
        address: in the segment's network.
        segment: None: the one that the hosts live in.
    """
    command(["ip", "neighbour", "flush", "to", address, "dev", (segment or inner()).bridge])


def plug(tap: str, bridge: str) -> None:
    """Make an interface that a kernel run by a process of this machine uses, and put it on a bridge.

    Args:
        tap: its name on this machine.
        bridge: one of the lab's.
    """
    if tap not in _links():
        command(["ip", "tuntap", "add", tap, "mode", "tap"])
    command(["ip", "link", "set", tap, "master", bridge, "up"])


def unplug(tap: str) -> None:
    """Remove such an interface where it is there."""
    if tap in _links():
        command(["ip", "link", "delete", tap])


def remove() -> None:
    """Take bridges and translation away and put the machine's forwarding back as it was."""
    links = _links()
    for segment in (inner(), outer()):
        if links.get(segment.bridge, {}).get("ifalias") == _MARK:
            command(["ip", "link", "delete", segment.bridge])
            del links[segment.bridge]
        # Naming the table first makes the deletion succeed whether or not it is there.
        command(["nft", "-f", "-"], stdin=f"table ip {segment.table} {{}}\ndelete table ip {segment.table}\n")
    # The lab's own tests have a second lab beside the one in use.
    if not any(link.get("ifalias") == _MARK for link in links.values()):
        _put_forwarding_back()
    _state_file().unlink(missing_ok=True)


def _links() -> dict[str, dict[str, Any]]:
    return {link["ifname"]: link for link in json.loads(command(["ip", "-json", "link", "show"]))}
