"""States of units that other programs on this host run as. Changes nothing."""

from __future__ import annotations

from typing import Dict, List

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
    """Return the states of those that are there, from what ``systemctl show`` says."""
    return {
        values["Id"]: {"active": values["ActiveState"], "enabled": values["UnitFileState"]}
        for values in parse_show(text)
        if values.get("LoadState") not in (None, "not-found")
    }


def parse_show(output: str) -> List[Dict[str, str]]:
    """Parse `systemctl show` of several units: blocks of ``Property=value``, in the order asked for."""
    return [
        {key: value for key, _, value in (line.partition("=") for line in block.splitlines())}
        for block in output.strip("\n").split("\n\n")
    ]
