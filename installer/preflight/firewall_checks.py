"""Whether the hosts' firewalls let in what the cloud needs. Pure functions of what agents found."""

from __future__ import annotations

import fnmatch
import ipaddress
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any, NamedTuple

from installer import peers
from installer.addresses import address_of
from installer.outcome import Finding
from installer.ports import Opening
from installer.preflight.seen import Check, Seen

NUMBERS = {"6": "tcp", "17": "udp"}
#: Rules may jump on; a circle cannot be loaded, but nobody shall wait for one either.
DEEPEST = 16
#: More than so many ports no rule of iptables takes; a range counts for two.
MULTIPORT = 15


class Packet(NamedTuple):
    """The first packet of a connection.

    Args:
        family: ip or ip6.
        protocol: tcp or udp.
        port: where it goes.
        source: where it comes from; empty: from anywhere.
        destination: address of the host; empty: not known.
        interface: where it arrives; empty: not known.
    """

    family: str
    protocol: str
    port: int
    source: str
    destination: str
    interface: str


def firewall(seen: Seen) -> Iterator[Finding]:
    """The firewall lets in what the cloud needs, or is one that pystack opens ports in: firewalld, ufw."""
    told = seen.facts["firewall"]
    if told["problem"]:
        yield seen.bad(
            "firewall",
            str(told["problem"]),
            "nobody knows what it lets in, and no port can be opened in it",
            "see what it says (journalctl --unit firewalld), and start it anew",
            "systemctl restart firewalld",
        )
        return
    fine = True
    facts = seen.host.platform_facts("firewall")
    own, rules = facts.get("tool"), facts.get("rules")
    for entry in told["filters"]:
        openings = sorted(seen.openings, key=lambda opening: not opening.users)
        closed = [opening for opening in openings if is_closed(seen, entry, opening)]
        if closed:
            fine = False
            place = f"chain {entry['chain']} of table {entry['family']} {entry['table']}"
            yield seen.bad(
                "firewall",
                f"{entry['by']} drops what comes to {_listed(closed)} ({place})",
                "services would run, and nobody could reach them; pystack writes into no rules that are somebody's own",
                "let them in: now with these commands, and for the next boot in the file that the rules come from"
                + (f", such as {rules}" if rules and entry["by"] == "nftables" else "")
                + (f"; or let {own} look after the host: install opens ports in it" if own else ""),
                *commands(seen, entry, closed),
            )
    if told["at_boot"]:
        fine = False
        yield seen.bad(
            "firewall",
            f"{', '.join(told['at_boot'])} does not run, and starts at the next boot",
            "ports can be opened in it only while it runs: after a boot nobody would reach the services",
            "start it, and install opens the ports; or take it out of the boot (systemctl disable firewalld)",
            "systemctl start firewalld",
            outcome="warn",
        )
    if fine:
        manager = told["manager"]
        yield seen.good("firewall", f"{manager}: install opens ports" if manager else "nothing is in the way")


def is_closed(seen: Seen, entry: Mapping[str, Any], opening: Opening) -> bool:
    """Tell whether a filter certainly drops what must come in through an opening.

    Args:
        seen: the host.
        entry: the filter; see ``installer.agent.packet_filter``.
        opening: the opening.
    """
    return any(verdict(entry, packet) == "drop" for packet in _packets(seen, opening) if _concerns(entry, packet))


def verdict(entry: Mapping[str, Any], packet: Packet) -> str:
    """Return what a filter does with a packet: ``accept`` or ``drop``. In doubt it is accepted.

    Args:
        entry: the filter; see ``installer.agent.packet_filter``.
        packet: the packet.
    """
    return _walk(entry["chains"], entry["chain"], packet, 0) or str(entry["policy"])


def _walk(chains: Mapping[str, Sequence[Mapping[str, Any]]], name: str, packet: Packet, depth: int) -> str:
    for rule in chains.get(name, ()) if depth < DEEPEST else ():
        fits = _all(_holds(condition, packet) for condition in rule["if"])
        then, _, target = str(rule["then"]).partition(" ")
        if fits is False or not then:
            continue
        ends = _walk(chains, target, packet, depth + 1) if target else then
        if ends == "accept" or (ends == "drop" and fits):
            return ends
        if fits and then in ("return", "goto"):
            return ""
    return ""


def _holds(condition: Sequence[Any], packet: Packet) -> bool | None:
    """Tell whether a packet fulfils a condition; None: nobody knows."""
    key, negated, values = condition
    if key == "port":
        found: bool | None = any(first <= packet.port <= last for first, last in values)
    elif key == "protocol":
        found = bool({packet.protocol, "all", "0"} & {NUMBERS.get(str(value), str(value)) for value in values})
    elif key == "family":
        found = bool({packet.family, {"ip": "ipv4", "ip6": "ipv6"}[packet.family]} & set(values))
    elif key == "state":
        found = "new" in values
    elif key == "interface" and set(values) == {"lo"}:
        found = False
    elif key == "interface" and packet.interface:
        found = any(fnmatch.fnmatch(packet.interface, str(value).replace("+", "*")) for value in values)
    elif key in ("source", "destination") and getattr(packet, key):
        found = _among(getattr(packet, key), values)
    else:
        return None
    return None if found is None else found != bool(negated)


def _all(answers: Iterable[bool | None]) -> bool | None:
    told = list(answers)
    return False if False in told else None if None in told else True


def _among(address: str, values: Iterable[Any]) -> bool | None:
    own = ipaddress.ip_address(address)
    for value in map(str, values):
        first, _, last = value.partition("-")
        try:
            if last:
                low, high = int(ipaddress.ip_address(first)), int(ipaddress.ip_address(last))
                if low <= int(own) <= high:
                    return True
            elif own in ipaddress.ip_network(value, strict=False):
                return True
        except ValueError:
            return None
    return False


def _packets(seen: Seen, opening: Opening) -> Iterator[Packet]:
    here = address_of(seen.host)
    sources = ("",) if opening.users else peers.of(seen.cloud, seen.host, opening)
    arrival = next(iter(peers.arrival(seen.cloud, seen.host, opening)), "")
    for source in sources:
        family = _family(source or here)
        destination = here if _family(here) == family and not opening.is_for_tunnels else ""
        for port in {opening.first, opening.last}:
            yield Packet(family, opening.protocol, port, source, destination, arrival)


def _family(address: str) -> str:
    return "ip6" if ipaddress.ip_address(address).version == 6 else "ip"


def _concerns(entry: Mapping[str, Any], packet: Packet) -> bool:
    return entry["family"] in ("inet", packet.family)


def _listed(closed: Sequence[Opening]) -> str:
    users = ", ".join(str(opening) for opening in closed if opening.users)
    hosts = ", ".join(str(opening) for opening in closed if not opening.users)
    parts = [f"{users} from users" if users else "", f"{hosts} from the cloud's other hosts" if hosts else ""]
    return " and ".join(filter(None, parts))


def commands(seen: Seen, entry: Mapping[str, Any], closed: Sequence[Opening]) -> list[str]:
    """Return the commands that let openings through a filter, those together that come from the same addresses.

    Args:
        seen: the host.
        entry: the filter.
        closed: what it drops.
    """
    together: dict[tuple[str, tuple[str, ...]], list[str]] = {}
    for opening in closed:
        sources = () if opening.users else peers.of(seen.cloud, seen.host, opening)
        together.setdefault((opening.protocol, sources), []).append(opening.ports)
    found: list[str] = []
    for (protocol, sources), ports in together.items():
        for family in ("ip", "ip6"):
            some = [address for address in sources if _family(address) == family]
            # A rule without a source is for both families where the table is.
            is_own = entry["family"] == family or (entry["family"] == "inet" and (sources or family == "ip"))
            if is_own and bool(some) == bool(sources):
                write = _iptables if entry["by"] == "iptables" else _nft
                found += write(entry, family, protocol, ports, some)
    return found


def _nft(
    entry: Mapping[str, Any], family: str, protocol: str, ports: Sequence[str], sources: Sequence[str]
) -> Iterator[str]:
    whom = f"{family} saddr {{ {', '.join(sources)} }} " if sources else ""
    chain = f"{entry['family']} {entry['table']} {entry['chain']}"
    yield f"nft 'insert rule {chain} {whom}{protocol} dport {{ {', '.join(ports)} }} accept'"


def _iptables(
    entry: Mapping[str, Any], family: str, protocol: str, ports: Sequence[str], sources: Sequence[str]
) -> Iterator[str]:
    program = "iptables" if family == "ip" else "ip6tables"
    whom = f"-s {','.join(sources)} " if sources else ""
    for start in range(0, len(ports), MULTIPORT // 2):
        some = ",".join(port.replace("-", ":") for port in ports[start : start + MULTIPORT // 2])
        yield f"{program} -I {entry['chain']} {whom}-p {protocol} -m multiport --dports {some} -j ACCEPT"


CHECKS: tuple[Check, ...] = (firewall,)
