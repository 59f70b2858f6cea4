"""A port that the host's firewall lets others in to, now and after the next boot. Nothing is ever closed."""

from __future__ import annotations

import dataclasses
import ipaddress
import re
from typing import Any, ClassVar, Dict, Iterable, List, Mapping, Sequence, Set, Tuple

from installer.agent import firewall
from installer.agent.host import Host
from installer.resources.base import Actual, Resource, State
from installer.resources.texts import text_of

FIREWALLD, UFW = "firewalld", "ufw"
MANAGERS = (FIREWALLD, UFW)
EVERYONE = "everyone"
#: Where ufw keeps its rules; it applies them as soon as they are given.
UFW_RULES = ("/etc/ufw/user.rules", "/etc/ufw/user6.rules")
#: Moments for which firewalld has settings of their own, and what firewall-cmd calls them.
MOMENTS = {"now": (), "at boot": ("--permanent",)}


@dataclasses.dataclass(frozen=True)
class FirewallPort(Resource):
    """A port that is open.

    Args:
        manager: firewalld or ufw.
        ports: one, or the first and the last with a dash between them.
        protocol: tcp or udp.
        sources: addresses that may come; nothing: everyone.
        zones: zones of firewalld in which they arrive.
    """

    kind: ClassVar[str] = "firewall-port"

    manager: str
    ports: str
    protocol: str
    sources: Tuple[str, ...] = ()
    zones: Tuple[str, ...] = ()

    @property
    def name(self) -> str:
        return f"{self.ports}/{self.protocol}"

    def expected(self) -> State:
        everybody = sorted(self.sources) or [EVERYONE]
        return {f"open {moment} to": everybody for moment in MOMENTS}

    @classmethod
    def query(cls, resources: Sequence[FirewallPort], host: Host) -> Dict[str, Actual]:
        zones = sorted({zone for resource in resources for zone in resource.zones})
        settings: Dict[str, Dict[str, Any]] = {"now": {}, "at boot": {}}
        for zone in zones:
            settings["now"][zone] = firewall.zone_settings(host, zone)
            settings["at boot"][zone] = firewall.zone_settings_at_boot(host, zone)
        rules = "\n".join(map(text_of, UFW_RULES)) if any(item.manager == UFW for item in resources) else ""
        return {
            item.id: item.in_ufw(ufw_rules(rules)) if item.manager == UFW else item.in_firewalld(settings)
            for item in resources
        }

    def in_firewalld(self, settings: Mapping[str, Mapping[str, Mapping[str, Any]]]) -> Actual:
        """Return the actual state.

        Args:
            settings: now and at boot, by zone, by the names of firewalld.dbus(5).
        """
        state = {}
        for moment in MOMENTS:
            missing = {item for zone in self.zones for item in self.missing(settings[moment][zone])}
            state[f"open {moment} to"] = [
                source for source in sorted(self.sources) or [EVERYONE] if source not in missing
            ]
        return state if any(state.values()) else None

    def missing(self, zone: Mapping[str, Any]) -> List[str]:
        """Return the sources that a zone of firewalld does not let in.

        Args:
            zone: its settings.
        """
        if zone.get("target") == "ACCEPT" or any(self.is_in(*entry) for entry in zone.get("ports", ())):
            return []
        rules = set(zone.get("rules_str", ()))
        return [source for source in self.sources if self.rich_rule(source) not in rules] or (
            [] if self.sources else [EVERYONE]
        )

    def rich_rule(self, source: str) -> str:
        """Return the rule that lets an address in, as firewalld itself writes it (firewalld.richlanguage(5))."""
        family = f"ipv{ipaddress.ip_address(source).version}"
        port = f'port port="{self.ports}" protocol="{self.protocol}"'
        return f'rule family="{family}" source address="{source}" {port} accept'

    def is_in(self, ports: str, protocol: str) -> bool:
        """Tell whether these ports of a firewall, one or first and last, are or hold ours; firewalld merges ranges."""
        first, last = _range(ports)
        own_first, own_last = _range(self.ports)
        return protocol in (self.protocol, "any") and first <= own_first and own_last <= last

    def in_ufw(self, rules: Set[Tuple[str, str, str]]) -> Actual:
        """Return the actual state, by ufw's rules; see ``ufw_rules``."""
        let_in = {source for ports, protocol, source in rules if self.is_in(ports, protocol)}
        found = [source for source in sorted(self.sources) or [EVERYONE] if {source, EVERYONE} & let_in]
        return {f"open {moment} to": found for moment in MOMENTS} if found else None

    def fix(self, actual: Actual, host: Host) -> None:
        self.fix_all([(self, actual)], host)

    @classmethod
    def fix_all(cls, differing: Sequence[Tuple[FirewallPort, Actual]], host: Host) -> None:
        items = [item for item, _ in differing]
        for item, actual in differing:
            if item.manager == UFW:
                item.open_in_ufw(actual, host)
        for zone in sorted({zone for item in items for zone in item.zones}):
            for further, settings in (
                (MOMENTS["at boot"], firewall.zone_settings_at_boot(host, zone)),
                (MOMENTS["now"], firewall.zone_settings(host, zone)),
            ):
                options = [option for item in items if zone in item.zones for option in item.options(settings)]
                if options:
                    host.run(["firewall-cmd", "--quiet", *further, f"--zone={zone}", *options])

    def options(self, settings: Mapping[str, Any]) -> Iterable[str]:
        """Yield the options of firewall-cmd(1) that open the port in a zone with these settings."""
        for source in self.missing(settings):
            yield f"--add-port={self.name}" if source == EVERYONE else f"--add-rich-rule={self.rich_rule(source)}"

    def open_in_ufw(self, actual: Actual, host: Host) -> None:
        """Let in whom ufw(8) does not let in yet."""
        let_in = actual["open now to"] if isinstance(actual, dict) else ()
        for source in self.sources or (EVERYONE,):
            if source not in let_in:
                whom = "any" if source == EVERYONE else source
                port = self.ports.replace("-", ":")
                host.run(["ufw", "allow", "proto", self.protocol, "from", whom, "to", "any", "port", port])


def ufw_rules(text: str) -> Set[Tuple[str, str, str]]:
    """Return what ufw lets in: ports as it writes them (``5900:6155``), protocol, and from where (``everyone``).

    Args:
        text: its user.rules; each rule is told of in a comment: action, protocol, ports, to, ports, from, direction.
    """
    found: Set[Tuple[str, str, str]] = set()
    for line in re.findall(r"^### tuple ### (.+)$", text, re.MULTILINE):
        words = line.split()
        if len(words) < 7 or words[0] != "allow" or words[6] != "in" or words[4] != "any":
            continue
        here, source = words[3], words[5]
        if here in ("0.0.0.0/0", "::/0"):
            whom = EVERYONE if source in ("0.0.0.0/0", "::/0") else source
            found.update((ports, words[1], whom) for ports in ([words[2]] if ":" in words[2] else words[2].split(",")))
    return found


def _range(ports: str) -> Tuple[int, int]:
    numbers = [int(part) for part in re.split("[-:]", ports) if part.isdigit()]
    return (numbers[0], numbers[-1]) if numbers else (0, -1)
