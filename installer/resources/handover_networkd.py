"""Handing an interface over to a bridge where systemd-networkd looks after it."""

from __future__ import annotations

import json
import re
from typing import Any, Dict, Optional, Sequence

from installer.agent.host import Host
from installer.resources.base import CannotFix
from installer.resources.handover import Handover, head

TITLE = "systemd-networkd"
UNIT = "systemd-networkd.service"
#: Sorts before the files of the host's own: of several that match an interface, systemd-networkd takes the first.
FILE = "/etc/systemd/network/05-pystack-{}.network"


def looks_after(interface: str, host: Host) -> bool:
    """Tell whether the interface has its configuration from here."""
    return bool(_status(interface, host).get("NetworkFile"))


def plan(interface: str, bridge: str, addresses: Sequence[str], host: Host) -> Handover:
    """Return the handover of an interface.

    Args:
        interface: the interface.
        bridge: the bridge.
        addresses: what moves; nothing: the bridge is left to itself.
        host: the host.

    Raises:
        CannotFix: its configuration cannot be read.
    """
    original: Optional[str] = None
    if addresses:
        status = _status(interface, host)
        try:
            texts = []
            for path in [status["NetworkFile"], *status.get("NetworkFileDropins", ())]:
                with open(path, encoding="utf-8", errors="replace") as stream:
                    texts.append(stream.read())
        except (OSError, KeyError) as problem:
            raise CannotFix(f"the .network file of {interface} cannot be read: {problem}") from None
        original = "\n".join(texts)
    return way(interface, bridge, original)


def way(interface: str, bridge: str, original: Optional[str]) -> Handover:
    """Return the handover for the .network file, drop-ins appended, that gives an interface its addresses."""
    files = {FILE.format(interface): port(interface, bridge, original is not None)}
    if original is not None:
        files[FILE.format(bridge)] = taken_over(interface, bridge, original)
    # It configures anew every interface for which another file counts than before.
    reload = ("networkctl", "reload")
    return Handover(files, after=(reload,), back=(reload, ("networkctl", "reconfigure", interface)))


def port(interface: str, bridge: str, took: bool) -> str:
    """Return the .network file of a port, which is up and has no address; see ``installer.resources.handover.head``."""
    return (
        f"{head(interface, bridge, took)}\n[Match]\nName={interface}\n\n[Link]\nRequiredForOnline=no\n\n"
        "[Network]\nDHCP=no\nLinkLocalAddressing=no\nIPv6AcceptRA=no\n"
    )


def taken_over(interface: str, bridge: str, original: str) -> str:
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


def _status(interface: str, host: Host) -> Dict[str, Any]:
    told = host.run(["networkctl", "--json=short", "status", interface], expect=None, timeout=10)
    if told.code or not told.out.startswith("{"):
        return {}
    status: Dict[str, Any] = json.loads(told.out)
    return status
