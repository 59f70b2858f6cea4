from __future__ import annotations

import re
import shlex
from pathlib import Path
from typing import Any

import pytest
import yaml

from installer.resources import bridged_interface, handover
from installer.resources.base import CannotFix, Unknown
from installer.resources.bridged_interface import BridgedInterface
from tests.unit.resources.fake_host import FakeHost

CASES = yaml.safe_load((Path(__file__).parent / "cases" / "handover.yaml").read_text())
PORT = BridgedInterface("eth1", "br-ex")
#: Shortened from a host with iproute2 6.15.
ADDRESSES = """[
 {"ifname":"lo","addr_info":[{"family":"inet","local":"127.0.0.1","prefixlen":8,"scope":"host"}]},
 {"ifname":"eth1","addr_info":[{"family":"inet","local":"198.51.100.7","prefixlen":24,"scope":"global"},
  {"family":"inet6","local":"fe80::1","prefixlen":64,"scope":"link"},
  {"family":"inet6","local":"2001:db8::7","prefixlen":64,"scope":"global"}]},
 {"ifname":"br-ex"}]"""


def title(case: dict[str, Any]) -> str:
    return str(case["title"])


@pytest.mark.parametrize("case", CASES["networkd"], ids=title)
def test_the_bridge_gets_all_that_the_interface_had(case: dict[str, Any]) -> None:
    way = handover.by_networkd("eth1", "br-ex", case["original"])
    assert way.files["/etc/systemd/network/05-pystack-br-ex.network"] == case["bridge"]
    port = way.files["/etc/systemd/network/05-pystack-eth1.network"]
    assert "Name=eth1\n" in port
    assert "Address=" not in port


def test_an_interface_without_addresses_leaves_the_bridge_to_itself() -> None:
    way = handover.by_networkd("eth1", "br-ex", None)
    assert list(way.files) == ["/etc/systemd/network/05-pystack-eth1.network"]


@pytest.mark.parametrize("case", CASES["states"], ids=title)
def test_a_port_is_seen(case: dict[str, Any]) -> None:
    file = handover.networkd_port("eth1", "br-ex", case["port"]) if "port" in case else ""
    state = PORT.state(case.get("bridges", {}), case.get("errors", {}), case["held"], file)
    if case.get("satisfied"):
        assert state == PORT.expected()
    else:
        assert state == case["state"]
        assert state != PORT.expected()


@pytest.mark.parametrize("case", CASES["refusals"], ids=title)
def test_an_interface_that_something_else_needs_is_left_alone(case: dict[str, Any]) -> None:
    with pytest.raises(CannotFix, match=re.escape(case["refused"])):
        bridged_interface.refuse("eth1", "br-ex", {name: [] for name in case["held"]}, case["entries"])


def test_only_global_addresses_move() -> None:
    assert bridged_interface.parse_addresses(ADDRESSES) == {
        "lo": [],
        "eth1": ["198.51.100.7/24", "2001:db8::7/64"],
        "br-ex": [],
    }


def test_ports_are_asked_for_in_one_command_and_a_plan_names_the_addresses_that_move() -> None:
    tables = (
        '{"data":[["br-ex",["set",[["uuid","a"],["uuid","b"]]]],["br-int",["uuid","c"]]],"headings":["name","ports"]}\n'
        '{"data":[[["uuid","a"],"br-ex"],[["uuid","b"],"eth9"],[["uuid","c"],"br-int"]],"headings":["_uuid","name"]}\n'
        '{"data":[["eth9",["set",[]]]],"headings":["name","error"]}\n'
    )
    host = FakeHost({"ovs-vsctl": tables, "ip -json address show": ADDRESSES})
    state = BridgedInterface.query([PORT], host)[PORT.id]
    assert state == {"bridge": None, "addresses": ["198.51.100.7/24", "2001:db8::7/64"], "at boot": "as before"}
    assert PORT.explain(state, host) == ["  its addresses move to br-ex: 198.51.100.7/24, 2001:db8::7/64"]
    assert len(host.ran) == 2


def test_a_switch_that_does_not_run_tells_nothing_of_its_ports() -> None:
    host = FakeHost({"ovs-vsctl": (1, "", "database connection failed\n"), "ip -json": ADDRESSES})
    assert isinstance(BridgedInterface.query([PORT], host)[PORT.id], Unknown)


def undo(**changed: Any) -> list[list[str]]:
    given: dict[str, Any] = {
        "addresses": ["198.51.100.7/24"],
        "saved": {"/etc/a": None, "/etc/b c": "/etc/pystack/undo-eth1/1"},
        "back": [["networkctl", "reload"]],
        "made": True,
        **changed,
    }
    text = handover.undo_script("eth1", "br-ex", **given)
    return [shlex.split(line) for line in text.splitlines() if not line.startswith("#")]


def test_what_undoes_a_handover_puts_files_port_and_addresses_back_before_it_removes_itself() -> None:
    assert undo() == [
        ["rm", "-f", "/etc/a"],
        ["cp", "-p", "/etc/pystack/undo-eth1/1", "/etc/b c"],
        ["ovs-vsctl", "--timeout=20", "--no-wait", "--if-exists", "del-port", "br-ex", "eth1"],
        ["ip", "address", "delete", "198.51.100.7/24", "dev", "br-ex"],
        ["ip", "link", "set", "eth1", "up"],
        ["networkctl", "reload"],
        ["systemctl", "disable", "--quiet", "pystack-undo-eth1.service"],
        ["rm", "-rf", "/etc/pystack/undo-eth1"],
    ]


def test_a_port_that_was_one_before_stays_one() -> None:
    assert not [words for words in undo(made=False) if "del-port" in words]


def test_what_undoes_a_handover_runs_at_boot_too() -> None:
    unit = handover.undo_unit("eth1")
    assert "ExecStart=/bin/sh /etc/pystack/undo-eth1/undo\n" in unit
    assert "WantedBy=multi-user.target\n" in unit
