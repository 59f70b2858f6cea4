"""Where the hosts of a cloud meet each other: the addresses that they come from, and what their tunnels go through."""

from __future__ import annotations

from installer.addresses import address_of
from installer.cloud import Cloud, CloudHost
from installer.ports import Opening

#: Hosts with a switch of their own: gateways to the outside, and those that run instances. Tunnels are between them.
GROUPS = ("network", "compute")
#: What Neutron takes a physical network to carry, in bytes, unless it is told of less.
USUAL_MTU = 1500


def of(cloud: Cloud, host: CloudHost, opening: Opening) -> tuple[str, ...]:
    """Return the addresses from which the cloud's other hosts come to ports of a host.

    Args:
        cloud: the cloud.
        host: the host.
        opening: the ports; to that of tunnels come the addresses that tunnels of the other hosts begin at.
    """
    found: dict[str, None] = {}
    for other in cloud.hosts:
        if other is not host:
            through = tunnel_interfaces(cloud, other) if opening.is_for_tunnels else []
            addresses = [address for name in through for address in addresses_on(other, name)]
            found.update((address, None) for address in addresses or [address_of(other)])
    return tuple(found)


def arrival(cloud: Cloud, host: CloudHost, opening: Opening) -> list[str]:
    """Return the interfaces of a host on which packets to an opening arrive, the likeliest first."""
    through = tunnel_interfaces(cloud, host) if opening.is_for_tunnels else []
    return through or list(filter(None, [interface_of(host)]))


def addresses_on(host: CloudHost, interface: str) -> list[str]:
    """Return the addresses of an interface, without their prefix lengths."""
    return [str(address).partition("/")[0] for address in host.facts.get("interfaces", {}).get(interface, ())]


def interface_of(host: CloudHost) -> str:
    """Return the interface with the address that the other hosts reach a host at; nothing if there is none."""
    address = address_of(host)
    return next((name for name in host.facts.get("interfaces", {}) if address in addresses_on(host, name)), "")


def has_tunnels(cloud: Cloud, host: CloudHost) -> bool:
    """Tell whether tunnels end at a host."""
    others = [other for other in cloud.hosts if other.groups & set(GROUPS)]
    return bool(cloud.answers["CONFIG_NEUTRON_INSTALL"]) and len(others) > 1 and bool(host.groups & set(GROUPS))


def tunnel_interfaces(cloud: Cloud, host: CloudHost) -> list[str]:
    """Return the interface that the answer file gives a host's tunnels, and the bridge that takes it over, if any."""
    interface = str(cloud.answers["CONFIG_NEUTRON_OVN_TUNNEL_IF"] or "")
    if not interface or not has_tunnels(cloud, host):
        return []
    pairs = (str(text).partition(":") for text in cloud.answers["CONFIG_NEUTRON_OVN_BRIDGE_IFACES"])
    return [interface, *(bridge for bridge, _, port in pairs if port == interface)]


def tunnel_mtu(cloud: Cloud, host: CloudHost) -> int | None:
    """Return how many bytes a packet may have on the interface that a host's tunnels go through; None: not known."""
    named = tunnel_interfaces(cloud, host)
    name = next((name for name in named if addresses_on(host, name)), "") if named else interface_of(host)
    mtu = host.facts.get("links", {}).get(name, {}).get("mtu")
    return int(mtu) if mtu else None


def smallest_tunnel_mtu(cloud: Cloud) -> int | None:
    """Return the smallest of the hosts' tunnels, where it is less than Neutron takes for granted."""
    found = [mtu for host in cloud.hosts if has_tunnels(cloud, host) and (mtu := tunnel_mtu(cloud, host))]
    smallest = min(found, default=USUAL_MTU)
    return smallest if smallest < USUAL_MTU else None
