"""What has to be written and run so that a bridge takes over an interface, and to undo that. No IO."""

from __future__ import annotations

import shlex
from typing import List, Mapping, NamedTuple, Optional, Sequence, Tuple

UNDO_FOLDER = "/etc/pystack/undo-{}"
UNDO_UNIT = "pystack-undo-{}.service"
UNDO_TIMER = "pystack-undo-{}-timer"

Commands = Tuple[Tuple[str, ...], ...]


class Handover(NamedTuple):
    """How a host's network configuration hands an interface over to a bridge.

    Args:
        files: path to content of what is written.
        before: what is run before that.
        after: what is run after it, so that it counts.
        back_before: what undoing it runs while the new files are still there.
        back: what it runs when those are back that were there before.
    """

    files: Mapping[str, str]
    before: Commands = ()
    after: Commands = ()
    back_before: Commands = ()
    back: Commands = ()


def head(interface: str, bridge: str, took: bool) -> str:
    """Return the first line of the file that makes an interface a port at boot.

    Args:
        interface: the interface.
        bridge: the bridge.
        took: whether the bridge has its addresses.
    """
    return (
        f"# Made by pystack: {interface} is a port of the bridge {bridge}{', which has its addresses' if took else ''}."
    )


def undo_script(
    interface: str, bridge: str, addresses: Sequence[str], saved: Mapping[str, Optional[str]], way: Handover, made: bool
) -> str:
    """Return the shell script that gives an interface back, from whatever point the handover has come to.

    Args:
        interface: the interface.
        bridge: the bridge.
        addresses: what moves, with prefix lengths.
        saved: path of each file that the handover writes, to where its former content is kept; None: it had none.
        way: the handover.
        made: whether the port was made by the handover; it is then removed.
    """
    words: List[Sequence[str]] = list(way.back_before)
    for path, kept in saved.items():
        words.append(("rm", "-f", path) if kept is None else ("cp", "-p", kept, path))
    if made:
        words.append(("ovs-vsctl", "--timeout=20", "--no-wait", "--if-exists", "del-port", bridge, interface))
    words += [("ip", "address", "delete", address, "dev", bridge) for address in addresses]
    words.append(("ip", "link", "set", interface, "up"))
    words += way.back
    words += [
        ("systemctl", "disable", "--quiet", UNDO_UNIT.format(interface)),
        # After a reboot there is no timer any more.
        ("systemctl", "--quiet", "stop", UNDO_TIMER.format(interface) + ".timer"),
        ("rm", "-rf", f"/etc/systemd/system/{UNDO_UNIT.format(interface)}", UNDO_FOLDER.format(interface)),
        ("systemctl", "daemon-reload"),
    ]
    lines = [shlex.join(line) for line in words]
    first = (
        f"# Made by pystack while {bridge} takes over {interface}: gives it back when nobody confirms that it works."
    )
    return "\n".join(["#!/bin/sh", first, *lines, ""])


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
