"""States of units that other programs on this host run as. Changes nothing."""

from __future__ import annotations

from typing import Dict

from installer.agent.host import Host

FIREWALLS = ("firewalld.service", "ufw.service", "nftables.service")
NETWORK = ("NetworkManager.service", "systemd-networkd.service", "networking.service", "wickedd.service")
#: Programs that keep the clock, by the names that distributions give their units.
TIME = (
    *("chronyd.service", "chrony.service", "systemd-timesyncd.service", "ntpd.service", "ntpsec.service"),
    *("openntpd.service", "ntp.service", "ptp4l.service", "timemaster.service"),
)


def units(host: Host) -> Dict[str, Dict[str, str]]:
    """Return ``active`` and ``enabled`` of those of these units that are there, in systemd's words."""
    argv = ["systemctl", "show", "--property=Id,LoadState,ActiveState,UnitFileState", *FIREWALLS, *NETWORK, *TIME]
    return host.remember("probe: units", lambda: parse(host.run(argv, expect=None).out))


def parse(text: str) -> Dict[str, Dict[str, str]]:
    """Parse ``systemctl show``: one paragraph of assignments for each unit."""
    found = {}
    for paragraph in text.split("\n\n"):
        values = dict(line.split("=", 1) for line in paragraph.splitlines() if "=" in line)
        if values.get("LoadState") not in (None, "not-found"):
            found[values["Id"]] = {"active": values["ActiveState"], "enabled": values["UnitFileState"]}
    return found
