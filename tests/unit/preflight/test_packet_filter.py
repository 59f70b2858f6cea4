"""Whether a firewall's rules let a packet in. The rules are what nft and iptables-save told on a lab host."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from installer.agent import firewall, packet_filter
from installer.preflight.firewall_checks import Packet, verdict
from tests.unit.resources.fake_host import FakeHost

RULES = Path(__file__).parent / "rules"
NFT = (RULES / "nft.json").read_text()
IPTABLES = (RULES / "iptables.txt").read_text()
PEER, STRANGER = "10.0.0.2", "172.16.0.9"


def packet(port: int, source: str = "", protocol: str = "tcp", interface: str = "eth0") -> Packet:
    return Packet("ip", protocol, port, source, "10.0.0.1", interface)


CASES = [
    ("nft", packet(5000), "accept", "a range in a set"),
    ("nft", packet(443), "accept", "a named set"),
    ("nft", packet(5011), "drop", "the last rule"),
    ("nft", packet(8080), "drop", "another interface"),
    ("nft", packet(8080, interface="eth9"), "accept", "this interface"),
    ("nft", packet(3306, PEER), "accept", "a named set of networks"),
    ("nft", packet(3306, STRANGER), "drop", "an address that is not in the set"),
    ("nft", packet(6081, PEER, "udp"), "accept", "a network and a new connection"),
    ("nft", packet(6081, PEER), "drop", "another protocol"),
    ("nft", packet(9696), "accept", "a chain that is jumped to"),
    ("nft", packet(9292), "accept", "a map of verdicts"),
    ("nft", packet(53, protocol="udp"), "accept", "a limit: in doubt it is let in"),
    ("iptables", packet(22), "accept", "a port"),
    ("iptables", packet(5005), "accept", "several ports with a range"),
    ("iptables", packet(9292), "drop", "the last rule"),
    ("iptables", packet(3306, PEER), "accept", "a chain of its own, unless it comes by another interface"),
    ("iptables", packet(3306, PEER, interface="eth9"), "drop", "that other interface"),
    ("iptables", packet(3306, STRANGER), "drop", "an address"),
    ("iptables", packet(6081, PEER, "udp"), "drop", "another destination"),
]


@pytest.mark.parametrize(("rules", "sent", "answer", "_why"), CASES, ids=[f"{case[0]}: {case[3]}" for case in CASES])
def test_what_certainly_is_dropped_is_known(rules: str, sent: Packet, answer: str, _why: str) -> None:
    (entry,) = packet_filter.parse_nft(NFT) if rules == "nft" else packet_filter.parse_iptables(IPTABLES, "ip")
    assert verdict(entry, sent) == answer


def test_a_filter_is_told_with_the_chains_it_leads_to_and_no_others() -> None:
    (entry,) = packet_filter.parse_nft(NFT)
    assert (entry["chain"], entry["policy"], set(entry["chains"])) == ("input", "drop", {"input", "more"})


@pytest.mark.parametrize("text", ["", "no JSON", '{"nftables": []}'])
def test_no_rules_are_no_filter(text: str) -> None:
    assert packet_filter.parse_nft(text) == []
    assert packet_filter.parse_iptables(text, "ip") == []


def test_tables_of_iptables_are_not_told_twice_and_those_of_the_firewalls_manager_not_at_all() -> None:
    chain = {"name": "INPUT", "hook": "input", "type": "filter", "policy": "accept", "handle": 1}
    shown = json.dumps(
        {
            "nftables": [
                {"chain": {"family": family, "table": table, **chain}}
                for family, table in (("ip", "filter"), ("ip6", "filter"), ("inet", "firewalld"), ("inet", "own"))
            ]
        }
    )
    host = FakeHost({"nft": shown, "iptables-save": IPTABLES, "ip6tables-save": (127, "", "")})
    found = [(entry["by"], entry["family"], entry["table"]) for entry in packet_filter.filters(host, "firewalld")]
    assert found == [("iptables", "ip", "filter"), ("nftables", "ip6", "filter"), ("nftables", "inet", "own")]
    under_ufw = [(entry["family"], entry["table"]) for entry in packet_filter.filters(host, "ufw")]
    assert under_ufw == [("inet", "firewalld"), ("inet", "own")]


def bus(answers: dict[str, Any]) -> dict[str, str]:
    return {
        " ".join([*firewall.BUS, method]): json.dumps({"type": "?", "data": [data]}) for method, data in answers.items()
    }


def test_the_zones_of_firewalld_are_those_in_use_and_the_default_one() -> None:
    zone = f"{firewall.PATH} {firewall.INTERFACE}.zone"
    target = {"target": {"type": "s", "data": "default"}}
    host = FakeHost(
        bus(
            {
                f"{firewall.PATH} {firewall.INTERFACE} getDefaultZone": "public",
                f"{zone} getActiveZones": {"work": {"interfaces": ["eth1"], "sources": ["10.0.0.0/8"]}},
                f"{zone} getZoneSettings2": target,
            }
        )
    )
    assert firewall.zones(host) == {
        "default_zone": "public",
        "zones": {
            "public": {"interfaces": [], "sources": [], "target": "default"},
            "work": {"interfaces": ["eth1"], "sources": ["10.0.0.0/8"], "target": "default"},
        },
    }
    assert all("--auto-start=no" in line for line in host.ran)


def test_ufw_counts_where_it_is_switched_on() -> None:
    assert firewall.is_enabled("# ufw\nENABLED=yes\n")
    assert not firewall.is_enabled("ENABLED=no\n")
    assert not firewall.is_enabled("")
