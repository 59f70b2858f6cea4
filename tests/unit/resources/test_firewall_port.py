"""Ports that a firewall lets others in to."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from installer.agent import firewall
from installer.resources import firewall_port
from installer.resources.firewall_port import FirewallPort, ufw_rules
from tests.unit.resources.fake_host import FakeHost

PEERS = ("10.0.0.2", "fd00::2")
API = FirewallPort("firewalld", "5000", "tcp", (), ("public",))
DATABASE = FirewallPort("firewalld", "3306", "tcp", PEERS, ("public",))
RULES = [
    'rule family="ipv4" source address="10.0.0.2" port port="3306" protocol="tcp" accept',
    'rule family="ipv6" source address="fd00::2" port port="3306" protocol="tcp" accept',
]


def with_firewalld(now: dict[str, Any], at_boot: dict[str, Any]) -> FakeHost:
    def told(settings: dict[str, Any]) -> str:
        return json.dumps({"type": "a{sv}", "data": [{name: {"data": value} for name, value in settings.items()}]})

    bus, name = " ".join(firewall.BUS), firewall.INTERFACE
    return FakeHost(
        {
            f"{bus} {firewall.PATH} {name}.zone getZoneSettings2 s public": told(now),
            f"{bus} {firewall.PATH}/config {name}.config getZoneByName s public": '{"type": "o", "data": ["/zone/6"]}',
            f"{bus} /zone/6 {name}.config.zone getSettings2": told(at_boot),
            "firewall-cmd": "",
        }
    )


@pytest.mark.parametrize(
    "settings",
    [
        {"ports": [["5000", "tcp"]], "rules_str": RULES},
        {"ports": [["4000-6000", "tcp"], ["3306", "tcp"]]},
        {"target": "ACCEPT"},
    ],
    ids=["port and rules", "a range, and a port open to everyone", "a zone that lets in all"],
)
def test_what_is_open_in_firewalld_is_left_alone(settings: dict[str, Any]) -> None:
    found = FirewallPort.query([API, DATABASE], with_firewalld(settings, settings))
    assert found == {item.id: item.expected() for item in (API, DATABASE)}


def test_what_is_closed_in_firewalld_is_opened_now_and_for_the_next_boot_in_one_command_each() -> None:
    host = with_firewalld({"ports": [["5000", "udp"]], "rules_str": RULES[:1]}, {"services": ["ssh"]})
    found = FirewallPort.query([API, DATABASE], host)
    assert found[API.id] is None
    assert found[DATABASE.id] == {"open now to": ["10.0.0.2"], "open at boot to": []}
    FirewallPort.fix_all([(API, None), (DATABASE, found[DATABASE.id])], host)
    assert [line for line in host.ran if line.startswith("firewall-cmd")] == [
        "firewall-cmd --quiet --permanent --zone=public --add-port=5000/tcp "
        f"--add-rich-rule={RULES[0]} --add-rich-rule={RULES[1]}",
        f"firewall-cmd --quiet --zone=public --add-port=5000/tcp --add-rich-rule={RULES[1]}",
    ]


UFW = """### tuple ### allow tcp 5000 0.0.0.0/0 any 0.0.0.0/0 in
-A ufw-user-input -p tcp --dport 5000 -j ACCEPT
### tuple ### allow tcp 3306 0.0.0.0/0 any 10.0.0.2 in comment=78
### tuple ### allow any 5900:6155 0.0.0.0/0 any 10.0.0.0/8 in
### tuple ### deny tcp 22 0.0.0.0/0 any 0.0.0.0/0 in
### tuple ### allow tcp 80,443 ::/0 any ::/0 in
### tuple ### allow tcp 25 192.0.2.1 any 0.0.0.0/0 in
### tuple ### allow tcp 26 0.0.0.0/0 any 0.0.0.0/0 out
"""


def test_rules_of_ufw_are_read_that_let_somebody_in_to_every_address() -> None:
    assert ufw_rules(UFW) == {
        ("5000", "tcp", "everyone"),
        ("3306", "tcp", "10.0.0.2"),
        ("5900:6155", "any", "10.0.0.0/8"),
        ("80", "tcp", "everyone"),
        ("443", "tcp", "everyone"),
    }


def test_ufw_gets_the_rules_that_it_lacks(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    rules = tmp_path / "user.rules"
    rules.write_text(UFW)
    monkeypatch.setattr(firewall_port, "UFW_RULES", (str(rules),))
    items = [
        FirewallPort("ufw", "5000", "tcp"),
        FirewallPort("ufw", "3306", "tcp", PEERS),
        FirewallPort("ufw", "5900-6155", "tcp"),
    ]
    host = FakeHost({"ufw": ""})
    found = FirewallPort.query(items, host)
    assert found[items[0].id] == items[0].expected()
    FirewallPort.fix_all([(item, found[item.id]) for item in items[1:]], host)
    assert host.ran == [
        "ufw allow proto tcp from fd00::2 to any port 3306",
        "ufw allow proto tcp from any to any port 5900:6155",
    ]
