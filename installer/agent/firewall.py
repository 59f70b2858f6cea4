"""Which firewall looks after this host, and what it lets in. Changes nothing."""

from __future__ import annotations

import json
from typing import Any, Dict, List

from installer.agent import packet_filter
from installer.agent.host import Host
from installer.agent.units import units
from installer.resources.texts import text_of

#: firewalld at D-Bus (firewalld.dbus(5)): twenty times as quick as firewall-cmd. A question does not start it.
BUS = ("busctl", "--auto-start=no", "--json=short", "call", "org.fedoraproject.FirewallD1")
PATH = "/org/fedoraproject/FirewallD1"
INTERFACE = "org.fedoraproject.FirewallD1"


def firewall(host: Host) -> Dict[str, Any]:
    """Return what is known of the host's firewall.

    ``manager``: ``firewalld``, ``ufw``, or nothing; ``zones`` of firewalld, those in use, each with ``interfaces``,
    ``sources`` and ``target``, and ``default_zone``; ``at_boot``: firewalls that do not run, but start at boot;
    ``filters``: see ``installer.agent.packet_filter``, without those of the manager.
    """
    states = units(host)
    found: Dict[str, Any] = {"manager": "", "zones": {}, "default_zone": ""}
    if states.get("firewalld.service", {}).get("active") == "active":
        found.update(manager="firewalld", **zones(host))
    elif is_enabled(text_of("/etc/ufw/ufw.conf")):
        found["manager"] = "ufw"
    asleep = states.get("firewalld.service", {})
    found["at_boot"] = ["firewalld"] if asleep.get("enabled") == "enabled" and asleep["active"] == "inactive" else []
    found["filters"] = packet_filter.filters(host, found["manager"])
    return found


def zones(host: Host) -> Dict[str, Any]:
    """Return ``zones`` and ``default_zone`` of firewalld, which runs."""
    default = ask(host, PATH, INTERFACE, "getDefaultZone")
    active = ask(host, PATH, f"{INTERFACE}.zone", "getActiveZones")
    held = {default: {"interfaces": [], "sources": []}, **active}
    return {"default_zone": default, "zones": {name: {**held[name], **_target(host, name)} for name in held}}


def ask(host: Host, path: str, interface: str, method: str, *arguments: str) -> Any:
    """Return what a method of firewalld at D-Bus answers.

    Args:
        host: the host.
        path: object path.
        interface: the interface that has the method.
        method: its name.
        arguments: texts.

    Raises:
        CommandFailed: firewalld does not answer.
    """
    signature = ["s" * len(arguments)] if arguments else []
    return json.loads(host.run([*BUS, path, interface, method, *signature, *arguments]).out)["data"][0]


def zone_settings(host: Host, zone: str) -> Dict[str, Any]:
    """Return the settings of a zone as they are now, by the names of firewalld.dbus(5), getZoneSettings2."""
    return _plain(ask(host, PATH, f"{INTERFACE}.zone", "getZoneSettings2", zone))


def zone_settings_at_boot(host: Host, zone: str) -> Dict[str, Any]:
    """Return the settings of a zone as firewalld keeps them on disk."""
    path = ask(host, f"{PATH}/config", f"{INTERFACE}.config", "getZoneByName", zone)
    return _plain(ask(host, path, f"{INTERFACE}.config.zone", "getSettings2"))


def is_enabled(ufw_conf: str) -> bool:
    """Tell whether ufw is switched on, by its /etc/ufw/ufw.conf."""
    lines: List[str] = [line.strip().lower() for line in ufw_conf.splitlines()]
    return "enabled=yes" in lines


def _plain(settings: Any) -> Dict[str, Any]:
    return {key: value["data"] for key, value in settings.items()}


def _target(host: Host, zone: str) -> Dict[str, str]:
    return {"target": str(zone_settings(host, zone).get("target", "default"))}
