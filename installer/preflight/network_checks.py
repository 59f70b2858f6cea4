"""Whether interfaces and addresses that the answer file counts on are there. Pure functions of what agents found."""

from __future__ import annotations

import ipaddress
from collections.abc import Iterator

from installer import peers
from installer.cloud import Cloud
from installer.outcome import Finding
from installer.preflight.seen import Check, Seen

TUNNEL_IF, BRIDGE_IFACES = "CONFIG_NEUTRON_OVN_TUNNEL_IF", "CONFIG_NEUTRON_OVN_BRIDGE_IFACES"
#: What a tunnel adds to a packet, in bytes, by the version of IP: header of IP, UDP 8, Geneve 8 and OVN's option 8,
#: Ethernet 14 (RFC 8926; Neutron's max_header_size for OVN).
OVERHEAD = {4: 58, 6: 78}
#: Every network must carry so much: RFC 8200, section 5.
LEAST_MTU = 1280


def address(seen: Seen) -> Iterator[Finding]:
    """The address in the answer file is one of the host's own, not one that is translated on the way to it."""
    try:
        wanted = ipaddress.ip_address(seen.host.address)
    except ValueError:
        return
    own = list(map(str, seen.facts.get("addresses", ())))
    if wanted.is_loopback or str(wanted) in own:
        yield seen.good("address", str(wanted))
        return
    yield seen.bad(
        "address",
        f"the host has no address {wanted}; it has {', '.join(own) or 'none'}",
        "services listen on the address in the answer file, and tell it to others",
        "write an address of the host itself, which the other hosts reach, into the answer file",
    )


def interfaces(seen: Seen) -> Iterator[Finding]:
    """Interfaces that the answer file names are there, switched on, and have an address where one is needed."""
    if not seen.cloud.answers["CONFIG_NEUTRON_INSTALL"] or not seen.host.groups & set(peers.GROUPS):
        return
    links = seen.facts["links"]
    tunnel = str(seen.cloud.answers[TUNNEL_IF] or "")
    wanted = [(interface, BRIDGE_IFACES) for interface in bridged(seen)] + ([(tunnel, TUNNEL_IF)] if tunnel else [])
    found: list[Finding] = []
    for name, parameter in wanted:
        link = links.get(name)
        if link is None:
            found.append(_missing(seen, name, parameter))
        elif parameter == TUNNEL_IF and not any(
            peers.addresses_on(seen.host, it) for it in (name, *_bridges(seen, name))
        ):
            found.append(_without_address(seen, name))
        elif not link["up"] or not link["carrier"]:
            found.append(_dead(seen, name, parameter, link["up"]))
    yield from found
    if not found:
        names = ", ".join(dict.fromkeys(name for name, _ in wanted)) or "the answer file names none"
        yield seen.good("interfaces", names)


def bridged(seen: Seen) -> list[str]:
    """Return the interfaces that the answer file gives to bridges of a host."""
    answers = seen.cloud.answers
    here = {str(text).partition(":")[2] for text in answers["CONFIG_NEUTRON_OVN_BRIDGE_MAPPINGS"]}
    if "network" not in seen.host.groups:
        here &= set(map(str, answers["CONFIG_NEUTRON_OVN_BRIDGES_COMPUTE"]))
    pairs = (str(text).partition(":") for text in answers[BRIDGE_IFACES])
    return [interface for bridge, _, interface in pairs if bridge in here]


def _bridges(seen: Seen, interface: str) -> list[str]:
    pairs = (str(text).partition(":") for text in seen.cloud.answers[BRIDGE_IFACES])
    return [bridge for bridge, _, port in pairs if port == interface]


def _missing(seen: Seen, name: str, parameter: str) -> Finding:
    held = seen.facts.get("interfaces", {})
    there = [f"{it} ({', '.join(held[it])})" if held.get(it) else it for it in seen.facts["links"] if it != "lo"]
    return seen.bad(
        "interfaces",
        f"{parameter} names {name}, and the host has none of that name; it has {', '.join(there[:8]) or 'none'}",
        "networks of the cloud go through it",
        f"name one of these in {parameter}, or give the interface that name (systemd.link(5))",
    )


def _without_address(seen: Seen, name: str) -> Finding:
    return seen.bad(
        "interfaces",
        f"{TUNNEL_IF} names {name}, which has no address",
        "tunnels between hosts begin and end at it",
        "give it an address that the other hosts reach, or name another interface",
    )


def _dead(seen: Seen, name: str, parameter: str, up: bool) -> Finding:
    return seen.bad(
        "interfaces",
        f"{parameter} names {name}, which {'has no carrier' if up else 'is switched off'}",
        "nothing goes through it",
        "see to its cable or its other end" if up else "switch it on, now and at boot",
        *(() if up else (f"ip link set {name} up",)),
        outcome="warn" if up else "fail",
    )


def management(seen: Seen) -> Iterator[Finding]:
    """Something that pystack works with looks after interfaces: NetworkManager, systemd-networkd or ifupdown."""
    managers, answers = seen.facts["managers"], seen.cloud.answers
    taken = bridged(seen) if answers["CONFIG_NEUTRON_INSTALL"] and seen.host.groups & set(peers.GROUPS) else []
    known = [name for name in managers if name != "wicked"]
    lent = [
        (name, addresses)
        for name in taken
        if (link := seen.facts["links"].get(name)) and link["networkmanager"] and (addresses := link["lent"])
    ]
    for name, addresses in lent:
        yield seen.bad(
            "network management",
            f"{name} has {', '.join(addresses)} from DHCP, by NetworkManager",
            f"{BRIDGE_IFACES} gives it to a bridge, and there nobody would renew the address",
            f"give {name} a fixed address, or the bridge another interface",
        )
    if taken and not known:
        yield seen.bad(
            "network management",
            f"{' and '.join(managers) or 'nothing that pystack knows'} looks after interfaces",
            f"{BRIDGE_IFACES} gives {', '.join(taken)} to a bridge, and nothing would do so at the next boot",
            "use NetworkManager, systemd-networkd or ifupdown on this host",
        )
    elif not lent:
        yield seen.good("network management", ", ".join(managers) or "none is needed")


def tunnels(cloud: Cloud) -> Iterator[Finding]:
    """Interfaces that tunnels go through carry enough, and the same on all hosts."""
    held = {host.address: peers.tunnel_mtu(cloud, host) for host in cloud.hosts if peers.has_tunnels(cloud, host)}
    known = {address: mtu for address, mtu in held.items() if mtu}
    if not known:
        return
    smallest = min(known.values())
    told = "; ".join(f"{address}: {mtu}" for address, mtu in known.items())
    left = min(smallest, peers.USUAL_MTU) - OVERHEAD[4]
    if left < LEAST_MTU:
        yield Finding(
            "tunnels",
            "fail",
            f"the longest packet of the interfaces that tunnels go through is too short ({told} bytes)",
            f"a tunnel takes {OVERHEAD[4]} bytes of it, with IPv6 {OVERHEAD[6]}, and a network needs {LEAST_MTU}",
            "set the MTU of these interfaces, and of the switches between, to 1500 or more",
        )
    elif len(set(known.values())) > 1:
        yield Finding(
            "tunnels",
            "warn",
            f"the interfaces that tunnels go through take packets of different length ({told} bytes)",
            f"networks of projects get {left}, as the smallest allows; one that is made smaller later, or a switch "
            "between that takes less, makes long packets vanish while short ones pass",
            "set one and the same MTU on all of them",
        )
    else:
        yield Finding("tunnels", "success", f"{smallest} bytes, of which networks of projects get {left}")


CHECKS: tuple[Check, ...] = (address, interfaces, management)
