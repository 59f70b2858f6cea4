"""How the hosts of a cloud are wired: bridges, their interfaces, the datapath, and the addresses of tunnels."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from installer import peers
from installer.addresses import address_of
from installer.cloud import Cloud, CloudHost
from installer.errors import AnswerFileError

GROUPS = peers.GROUPS
#: The kernel's datapath, and the one in userspace.
KERNEL, USERSPACE = "system", "netdev"


def chassis(cloud: Cloud) -> list[CloudHost]:
    """Return the hosts with a switch of their own."""
    return [host for host in cloud.hosts if host.groups & set(GROUPS)]


def bridge_mappings(cloud: Cloud, host: CloudHost) -> list[tuple[str, str]]:
    """Return the physical networks that a host is connected to, each with its bridge.

    Network hosts are connected to all of them, other hosts to those whose bridge CONFIG_NEUTRON_OVN_BRIDGES_COMPUTE
    names.
    """
    pairs = [_pair(text) for text in cloud.answers["CONFIG_NEUTRON_OVN_BRIDGE_MAPPINGS"]]
    if "network" in host.groups:
        return pairs
    own = set(cloud.answers["CONFIG_NEUTRON_OVN_BRIDGES_COMPUTE"])
    return [(network, bridge) for network, bridge in pairs if bridge in own]


def bridged_interfaces(cloud: Cloud, host: CloudHost) -> list[tuple[str, str]]:
    """Return the interfaces that are ports of a host's bridges, each with its bridge.

    Raises:
        AnswerFileError: CONFIG_NEUTRON_OVN_BRIDGE_IFACES names an interface that is not there.
    """
    there = host.facts.get("interfaces")
    here = {bridge for _, bridge in bridge_mappings(cloud, host)}
    found = []
    for bridge, interface in map(_pair, cloud.answers["CONFIG_NEUTRON_OVN_BRIDGE_IFACES"]):
        if bridge not in here:
            continue
        if there is not None and interface not in there:
            raise AnswerFileError(
                f"CONFIG_NEUTRON_OVN_BRIDGE_IFACES gives the interface {interface} to {bridge}, and {host.address} has "
                f"none of that name; it has {', '.join(sorted(there))}",
                "all hosts with that bridge need an interface of that name",
            )
        found.append((interface, bridge))
    return found


def datapath(cloud: Cloud, host: CloudHost) -> str:
    """Return which datapath Open vSwitch uses on a host: ``system`` or ``netdev``.

    Raises:
        AnswerFileError: the answer file wants the kernel's, and the kernel has none.
    """
    asked = str(cloud.answers["CONFIG_NEUTRON_OVS_DATAPATH"])
    has = bool(host.facts.get("kernel_openvswitch", True))
    if asked == KERNEL and not has:
        raise AnswerFileError(
            f"CONFIG_NEUTRON_OVS_DATAPATH={KERNEL}, but the kernel of {host.address} has no datapath for Open vSwitch, "
            "and no module of that name that it may load",
            "install the kernel's module openvswitch there, or take CONFIG_NEUTRON_OVS_DATAPATH=auto",
        )
    if asked in (KERNEL, USERSPACE):
        return asked
    return KERNEL if has else USERSPACE


def in_userspace(cloud: Cloud) -> bool:
    """Tell whether Open vSwitch uses the datapath in userspace on any host."""
    return any(datapath(cloud, host) == USERSPACE for host in chassis(cloud))


def tunnel_address(cloud: Cloud, host: CloudHost) -> str:
    """Return the address of a host that tunnels to other hosts begin and end at.

    That of CONFIG_NEUTRON_OVN_TUNNEL_IF, or of the bridge that has taken it over; without that parameter the address
    that the host is reached by.

    Raises:
        AnswerFileError: the interface has no address; or Open vSwitch works in userspace there, where it makes tunnels
            from the addresses of its bridges only (it looks for the way to the other host among them:
            ofproto/ofproto-dpif-xlate.c, tnl_route_lookup_flow), or none that help (3.1 drops packets whose checksum
            it would have to make: lib/netdev.c, netdev_push_header; seen).
    """
    interface = str(cloud.answers["CONFIG_NEUTRON_OVN_TUNNEL_IF"])
    bridges = dict(bridged_interfaces(cloud, host))
    needs_bridge = len(chassis(cloud)) > 1 and datapath(cloud, host) == USERSPACE
    if needs_bridge and not host.platform_facts("openvswitch")["userspace_tunnels"]:
        raise AnswerFileError(
            f"Open vSwitch works in userspace on {host.address}, where this version of it drops what instances send to "
            "other hosts",
            "let its kernel have the module openvswitch and take CONFIG_NEUTRON_OVS_DATAPATH=auto, take another "
            "distribution, or have instances and networks on one host alone",
        )
    if needs_bridge and interface not in {*bridges, *(bridge for _, bridge in bridge_mappings(cloud, host))}:
        raise AnswerFileError(
            f"Open vSwitch works in userspace on {host.address}, where it makes tunnels only from the address of a "
            f"bridge, and CONFIG_NEUTRON_OVN_TUNNEL_IF{f'={interface}' if interface else ''} names neither a bridge "
            "nor an interface that a bridge takes over there",
            "name one that CONFIG_NEUTRON_OVN_BRIDGE_IFACES gives to a bridge; on hosts that only run instances "
            "CONFIG_NEUTRON_OVN_BRIDGES_COMPUTE must name that bridge too",
        )
    if not interface:
        return address_of(host)
    held = host.facts.get("interfaces", {})
    for name in (interface, bridges.get(interface, "")):
        if held.get(name):
            return str(held[name][0]).partition("/")[0]
    raise AnswerFileError(
        f"CONFIG_NEUTRON_OVN_TUNNEL_IF={interface}: on {host.address} it has no address; {_with_addresses(held)}",
        "name another interface, or give this one an address",
    )


def _with_addresses(held: Mapping[str, Sequence[str]]) -> str:
    named = [f"{name} has {', '.join(addresses)}" for name, addresses in held.items() if addresses]
    return "; ".join(named) or "no interface has one"


def _pair(text: str) -> tuple[str, str]:
    first, _, second = str(text).partition(":")
    return first, second
