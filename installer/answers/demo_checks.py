"""Contradictions between what is said of the demo's networks: one outside with the floating addresses, one inside."""

from __future__ import annotations

import ipaddress
from collections.abc import Collection, Iterator, Mapping
from typing import Any

from installer.answers.json_types import AddressPart
from installer.answers.problem import Problem, Severity

FLOATING, GATEWAY = "CONFIG_PROVISION_DEMO_FLOATRANGE", "CONFIG_PROVISION_DEMO_GATEWAY"
PARTS = "CONFIG_PROVISION_DEMO_ALLOCATION_POOLS"
#: The network inside, as Packstack has it.
PRIVATE_ADDRESSES = "10.0.0.0/24"
#: Both ends of a network are nobody's, then there are its gateway, the demo's router and a floating address.
FEWEST = 8

Network = ipaddress.IPv4Network | ipaddress.IPv6Network
Address = ipaddress.IPv4Address | ipaddress.IPv6Address


def networks(values: Mapping[str, Any], unread: Collection[str]) -> Iterator[Problem]:
    """Yield what Neutron would refuse of the demo's networks, and what nobody could be reached by.

    Args:
        values: every parameter's value.
        unread: parameters whose value could not be read, and that have their default for now.
    """
    if not (values["CONFIG_PROVISION_DEMO"] and values["CONFIG_NEUTRON_INSTALL"]) or FLOATING in unread:
        return
    outside = values[FLOATING]
    wrong = _wrong_with(outside)
    if wrong:
        yield Problem(Severity.ERROR, f"{FLOATING} is {outside}, {wrong}", "name another network", key=FLOATING)
        return
    gateway = values[GATEWAY] or outside[1]
    if not _is_host(gateway, outside) and not (outside.version == 6 and gateway.is_link_local):
        message = f"{GATEWAY} is {gateway}, which is not the address of a host in {outside}"
        remedy = f"write one such as {outside[1]}, or correct {FLOATING}"
        yield Problem(Severity.ERROR, message, remedy, key=GATEWAY)
    for message in _wrong_parts(values[PARTS], outside, None if GATEWAY in unread else gateway):
        remedy = f'write parts of {outside}, at most ["{AddressPart(outside[2], _last(outside))}"], without the gateway'
        yield Problem(Severity.ERROR, f"{PARTS}: {message}", remedy, key=PARTS)


def _wrong_with(outside: Network) -> str:
    if outside.num_addresses < FEWEST:
        return "which has no room for a gateway, a router and floating addresses"
    if outside.overlaps(ipaddress.ip_network(PRIVATE_ADDRESSES)):
        return f"which overlaps {PRIVATE_ADDRESSES}, the network that instances of the demo are in"
    return ""


def _wrong_parts(parts: tuple[AddressPart, ...], outside: Network, gateway: Address | None) -> Iterator[str]:
    before: list[AddressPart] = []
    for part in parts:
        called = f"the part from {part.first} to {part.last}"
        if not (_is_host(part.first, outside) and _is_host(part.last, outside)):
            yield f"{called} is not within {outside}"
        elif gateway and gateway in outside and int(part.first) <= int(gateway) <= int(part.last):
            yield f"{called} holds the gateway, {gateway}"
        elif any(int(part.first) <= int(other.last) and int(other.first) <= int(part.last) for other in before):
            yield f"{called} overlaps one before it"
        before.append(part)


def _is_host(address: Address, network: Network) -> bool:
    return address in network and int(network[1]) <= int(address) <= int(_last(network))


def _last(network: Network) -> Address:
    """Return the last address that a host may have: IPv4 has one more, for all hosts at once."""
    return network[-2] if network.version == 4 else network[-1]
