from __future__ import annotations

import re
import shlex
from pathlib import Path
from typing import Any

import pytest
import yaml

from installer.resources import (
    bridged_interface,
    handover,
    handover_ifupdown,
    handover_networkd,
    handover_networkmanager,
)
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
    way = handover_networkd.way("eth1", "br-ex", case["original"])
    assert way.files["/etc/systemd/network/05-pystack-br-ex.network"] == case["bridge"]
    port = way.files["/etc/systemd/network/05-pystack-eth1.network"]
    assert "Name=eth1\n" in port
    assert "Address=" not in port


@pytest.mark.parametrize("case", CASES["ifupdown"], ids=title)
def test_stanzas_of_the_interface_become_those_of_the_bridge(case: dict[str, Any]) -> None:
    files = {"/etc/network/interfaces": "source /etc/network/interfaces.d/*\n", **case["files"]}
    if "refused" in case:
        with pytest.raises(CannotFix, match=re.escape(case["refused"])):
            handover_ifupdown.way("eth1", "br-ex", files, took=True)
        return
    way = handover_ifupdown.way("eth1", "br-ex", files, took=True)
    port = "/etc/network/interfaces.d/pystack-eth1"
    assert {path: text for path, text in way.files.items() if path != port} == case["after"]
    assert "iface eth1 inet manual\n" in way.files[port]
    # Down while the old files say what to take away, up when the new ones say what to bring.
    assert way.before == (("ifdown", "--force", "eth1"),)
    assert way.after == (("ifup", "--force", "eth1"), ("ifup", "--force", "br-ex"))


def test_networkmanager_lets_go_of_both_and_a_unit_brings_addresses_and_routes() -> None:
    routes = [
        {"dst": "default", "gateway": "198.51.100.1", "protocol": "static", "metric": 100},
        {"dst": "198.51.100.0/24", "protocol": "kernel", "scope": "link", "prefsrc": "198.51.100.7"},
        {"dst": "2001:db8:1::/48", "gateway": "2001:db8::1", "protocol": "static", "metric": 100},
    ]
    addresses = ["198.51.100.7/24", "2001:db8::7/64"]
    way = handover_networkmanager.way("eth1", "br-ex", addresses, routes, ["198.51.100.53"])
    let_go = way.files["/etc/NetworkManager/conf.d/90-pystack-eth1.conf"]
    assert let_go.splitlines()[1:] == [
        "[device-pystack-eth1]", "match-device=interface-name:eth1", "managed=0",
        "[device-pystack-br-ex]", "match-device=interface-name:br-ex", "managed=0",
        "[global-dns-domain-*]", "servers=198.51.100.53",
    ]  # fmt: skip
    assert way.files["/etc/pystack/addresses-eth1.sh"].splitlines()[3:] == [
        "ip link set eth1 up",
        "ip link set br-ex up",
        "ip address replace 198.51.100.7/24 dev br-ex",
        "ip address replace 2001:db8::7/64 dev br-ex",
        "ip -4 route replace default via 198.51.100.1 dev br-ex metric 100",
        "ip -6 route replace 2001:db8:1::/48 via 2001:db8::1 dev br-ex metric 100",
    ]


def test_an_address_that_networkmanager_renews_is_left_where_it_is() -> None:
    fixed = [{"addr_info": [{"local": "198.51.100.7", "scope": "global"}]}]
    handover_networkmanager.refuse_dynamic("eth1", fixed)
    lent = [{"addr_info": [{"local": "198.51.100.7", "scope": "global", "dynamic": True}]}]
    with pytest.raises(CannotFix, match=r"eth1 has 198\.51\.100\.7 from DHCP"):
        handover_networkmanager.refuse_dynamic("eth1", lent)


@pytest.mark.parametrize(
    ("answers", "addresses", "manager"),
    [
        ({"networkctl": '{"NetworkFile":"/a"}', "nmcli": (127, "", "")}, True, handover_networkd),
        ({"networkctl": "{}", "nmcli": "Wired connection 1\n"}, True, handover_networkmanager),
        ({"networkctl": (127, "", ""), "nmcli": "--\n", "ifquery": "lo=lo\neth1=eth1\n"}, True, handover_ifupdown),
        ({"networkctl": "{}", "nmcli": "\n", "ifquery": "lo=lo\n"}, True, None),
        (
            {"networkctl": (1, "", ""), "nmcli": "--\n", "ifquery": "", "systemctl is-active --quiet Netw": ""},
            False,
            handover_networkmanager,
        ),
        ({"networkctl": "{}", "nmcli": (127, "", ""), "ifquery": (127, "", "")}, False, None),
    ],
)
def test_who_looks_after_an_interface_is_found_out(answers: Any, addresses: bool, manager: Any) -> None:
    host = FakeHost({"systemctl is-active": (3, "", ""), **answers})
    held = ["198.51.100.7/24"] if addresses else []
    if manager is None:
        with pytest.raises(CannotFix, match="none of systemd-networkd, NetworkManager, ifupdown"):
            bridged_interface.manager_of("eth1", held, host)
    else:
        assert bridged_interface.manager_of("eth1", held, host) is manager


def test_an_interface_without_addresses_leaves_the_bridge_to_itself() -> None:
    networkd = handover_networkd.way("eth1", "br-ex", None)
    assert list(networkd.files) == ["/etc/systemd/network/05-pystack-eth1.network"]
    texts = {"/etc/network/interfaces": "source /etc/network/interfaces.d/*\n"}
    ifupdown = handover_ifupdown.way("eth1", "br-ex", texts, took=False)
    assert list(ifupdown.files) == ["/etc/network/interfaces.d/pystack-eth1"]
    assert (ifupdown.before, ifupdown.after) == ((), (("ifup", "--force", "eth1"),))
    script = handover_networkmanager.way("eth1", "br-ex", [], [], []).files["/etc/pystack/addresses-eth1.sh"]
    assert script.splitlines()[3:] == ["ip link set eth1 up"]


@pytest.mark.parametrize("took", [True, False])
@pytest.mark.parametrize("manager", bridged_interface.MANAGERS, ids=lambda manager: manager.TITLE)
def test_every_file_that_makes_a_port_begins_with_what_is_looked_for(manager: Any, took: bool) -> None:
    first = manager.port("eth1", "br-ex", took).splitlines()[0]
    held = {"eth1": [], "br-ex": []}
    assert PORT.state({"eth1": "br-ex"}, {}, held, first) == PORT.expected()
    assert BridgedInterface("eth1", "br-e").state({"eth1": "br-e"}, {}, held, first) != PORT.expected()


@pytest.mark.parametrize("case", CASES["states"], ids=title)
def test_a_port_is_seen(case: dict[str, Any]) -> None:
    first = handover.head("eth1", "br-ex", case["port"]) if "port" in case else ""
    state = PORT.state(case.get("bridges", {}), case.get("errors", {}), case["held"], first)
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
        "way": handover.Handover({}, back_before=(("ifdown", "br-ex"),), back=(("networkctl", "reload"),)),
        "made": True,
        **changed,
    }
    text = handover.undo_script("eth1", "br-ex", **given)
    return [shlex.split(line) for line in text.splitlines() if not line.startswith("#")]


def test_what_undoes_a_handover_puts_files_port_and_addresses_back_before_it_removes_itself() -> None:
    assert undo() == [
        ["ifdown", "br-ex"],
        ["rm", "-f", "/etc/a"],
        ["cp", "-p", "/etc/pystack/undo-eth1/1", "/etc/b c"],
        ["ovs-vsctl", "--timeout=20", "--no-wait", "--if-exists", "del-port", "br-ex", "eth1"],
        ["ip", "address", "delete", "198.51.100.7/24", "dev", "br-ex"],
        ["ip", "link", "set", "eth1", "up"],
        ["networkctl", "reload"],
        ["systemctl", "disable", "--quiet", "pystack-undo-eth1.service"],
        ["systemctl", "--quiet", "stop", "pystack-undo-eth1-timer.timer"],
        ["rm", "-rf", "/etc/systemd/system/pystack-undo-eth1.service", "/etc/pystack/undo-eth1"],
        ["systemctl", "daemon-reload"],
    ]


def test_a_port_that_was_one_before_stays_one() -> None:
    assert not [words for words in undo(made=False) if "del-port" in words]


def test_what_undoes_a_handover_runs_at_boot_too() -> None:
    unit = handover.undo_unit("eth1")
    assert "ExecStart=/bin/sh /etc/pystack/undo-eth1/undo\n" in unit
    assert "WantedBy=multi-user.target\n" in unit
