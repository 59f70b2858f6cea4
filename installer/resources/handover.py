"""What has to be written and run so that a bridge takes over an interface's addresses, and to undo that. No IO."""

from __future__ import annotations

import re
import shlex
from typing import List, Mapping, NamedTuple, Optional, Sequence, Tuple

#: Sorts before the files of the host's own: of several that match an interface, systemd-networkd takes the first.
NETWORKD = "/etc/systemd/network/05-pystack-{}.network"
UNDO_FOLDER = "/etc/pystack/undo-{}"
UNDO_UNIT = "pystack-undo-{}.service"

_HEAD = "# Made by pystack: {} is a port of the bridge {}{}.\n"


class Handover(NamedTuple):
    """How a host's network configuration hands an interface over to a bridge.

    Args:
        files: path to content of what is written.
        commands: what makes them count, in order.
        back: what makes the files count that were there before, in order.
    """

    files: Mapping[str, str]
    commands: Tuple[Tuple[str, ...], ...]
    back: Tuple[Tuple[str, ...], ...]


def by_networkd(interface: str, bridge: str, original: Optional[str]) -> Handover:
    """Return the handover of an interface that systemd-networkd looks after, or shall look after.

    Args:
        interface: the interface.
        bridge: the bridge.
        original: the .network file that gives the interface its addresses, drop-ins appended; None: it has none.
    """
    files = {NETWORKD.format(interface): networkd_port(interface, bridge, original is not None)}
    if original is not None:
        files[NETWORKD.format(bridge)] = networkd_bridge(interface, bridge, original)
    # It configures anew every interface for which another file counts than before.
    reload = ("networkctl", "reload")
    return Handover(files, (reload,), (reload, ("networkctl", "reconfigure", interface)))


def networkd_port(interface: str, bridge: str, took: bool) -> str:
    """Return the .network file of a port, which is up and has no address.

    Args:
        interface: the port.
        bridge: its bridge.
        took: whether the bridge has its addresses.
    """
    head = _HEAD.format(interface, bridge, ", which has its addresses" if took else "")
    return (
        f"{head}[Match]\nName={interface}\n\n[Link]\nRequiredForOnline=no\n\n"
        "[Network]\nDHCP=no\nLinkLocalAddressing=no\nIPv6AcceptRA=no\n"
    )


def networkd_bridge(interface: str, bridge: str, original: str) -> str:
    """Return the .network file of a bridge that takes over from an interface.

    All sections stay as they are but for [Match], which names the bridge, and [Link]'s MACAddress, which Open vSwitch
    sees to.
    """
    lines = []
    section = ""
    for line in original.splitlines():
        heading = re.fullmatch(r"\s*\[(\w+)\]\s*", line)
        section = heading.group(1) if heading else section
        if section == "Match" or (section == "Link" and re.match(r"\s*MACAddress\s*=", line)):
            continue
        lines.append(line)
    text = "\n".join(lines).strip("\n")
    return f"# Made by pystack: {bridge} has the addresses of its port {interface}.\n[Match]\nName={bridge}\n\n{text}\n"


def undo_script(
    interface: str,
    bridge: str,
    addresses: Sequence[str],
    saved: Mapping[str, Optional[str]],
    back: Sequence[Sequence[str]],
    made: bool,
) -> str:
    """Return the shell script that gives an interface back, from whatever point the handover has come to.

    Args:
        interface: the interface.
        bridge: the bridge.
        addresses: what moves, with prefix lengths.
        saved: path of each file that the handover writes, to where its former content is kept; None: it had none.
        back: commands, see ``Handover``.
        made: whether the port was made by the handover; it is then removed.
    """
    words: List[Sequence[str]] = []
    for path, kept in saved.items():
        words.append(("rm", "-f", path) if kept is None else ("cp", "-p", kept, path))
    if made:
        words.append(("ovs-vsctl", "--timeout=20", "--no-wait", "--if-exists", "del-port", bridge, interface))
    words += [("ip", "address", "delete", address, "dev", bridge) for address in addresses]
    words.append(("ip", "link", "set", interface, "up"))
    words += back
    words.append(("systemctl", "disable", "--quiet", UNDO_UNIT.format(interface)))
    words.append(("rm", "-rf", UNDO_FOLDER.format(interface)))
    lines = [shlex.join(line) for line in words]
    head = f"# Made by pystack while {bridge} takes over {interface}: gives it back when nobody confirms that it works."
    return "\n".join(["#!/bin/sh", head, *lines, ""])


def undo_unit(interface: str) -> str:
    """Return the unit that runs the script: when its timer ends, and at a boot that comes before the confirmation."""
    return f"""# Made by pystack while a bridge takes over {interface}; it is gone when that has worked.
[Unit]
Description=Give {interface} back its addresses
After=network.target ovs-vswitchd.service

[Service]
Type=oneshot
ExecStart=/bin/sh {UNDO_FOLDER.format(interface)}/undo

[Install]
WantedBy=multi-user.target
"""
