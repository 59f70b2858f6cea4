from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import yaml

from installer.resources import ovsdb
from installer.resources.base import CannotFix, Unknown
from installer.resources.openvswitch import OvsBridge, OvsSetting
from installer.resources.ovsdb_listener import OvsdbListener
from tests.unit.resources.fake_host import FakeHost

CASES = yaml.safe_load((Path(__file__).parent / "cases" / "openvswitch.yaml").read_text())
NOT_RUNNING = (1, "", "ovs-vsctl: unix:/run/openvswitch/db.sock: database connection failed (No such file)\n")
NOT_INSTALLED = (127, "", "No such file or directory: 'ovs-vsctl'")


def title(case: dict[str, Any]) -> str:
    return str(case["title"])


@pytest.mark.parametrize("case", CASES["tables"], ids=title)
def test_answers_of_the_database_are_read(case: dict[str, Any]) -> None:
    assert ovsdb.parse(case["output"]) == case["rows"]


@pytest.mark.parametrize("case", CASES["settings"], ids=title)
def test_a_setting_is_seen_and_made(case: dict[str, Any]) -> None:
    setting = OvsSetting(*case["setting"])
    assert setting.state(case["row"]) == case["state"]
    assert (setting.expected() == case["state"]) is ("words" not in case)
    if "words" in case:
        assert " ".join(setting.words()) == case["words"]


@pytest.mark.parametrize("case", CASES["bridges"], ids=title)
def test_a_bridge_is_seen(case: dict[str, Any]) -> None:
    declared = {**case["bridge"], "other_config": tuple(map(tuple, case["bridge"].get("other_config", ())))}
    bridge = OvsBridge(**declared)
    state, expected = bridge.state(case["row"], case.get("error", "")), bridge.expected()
    assert isinstance(state, dict)
    assert expected is not None
    assert [key for key in {**expected, **state} if expected.get(key) != state.get(key)] == case["differs"]


@pytest.mark.parametrize("case", CASES["listeners"], ids=title)
def test_a_listener_is_seen_and_made_beside_those_of_others(case: dict[str, Any]) -> None:
    listener = OvsdbListener("northbound", 6641, "192.0.2.1")
    assert listener.state(case["rows"]) == case["state"]
    assert (listener.expected() == case["state"]) is ("words" not in case)
    if "words" in case:
        assert " ".join(listener.words(listener.on_port(case["rows"]))) == case["words"]


def test_an_ipv6_address_to_listen_on_is_bracketed() -> None:
    assert OvsdbListener("ovs", 6640, "::1").target == "ptcp:6640:[::1]"


def test_all_settings_of_a_host_are_asked_for_and_made_in_one_command_each() -> None:
    settings = [OvsSetting("external_ids", "a", "1"), OvsSetting("other_config", "b", "2")]
    answer = '{"data":[[["map",[]],["map",[]]]],"headings":["external_ids","other_config"]}'
    host = FakeHost({"ovs-vsctl --timeout=30 --format=json": answer, "ovs-vsctl --timeout=30 --no-wait set": ""})
    states = OvsSetting.query(settings, host)
    assert states == {"ovs-setting:external_ids:a": None, "ovs-setting:other_config:b": None}
    OvsSetting.fix_all([(setting, states[setting.id]) for setting in settings], host)
    assert host.ran == [
        "ovs-vsctl --timeout=30 --format=json --columns=external_ids,other_config list Open_vSwitch",
        'ovs-vsctl --timeout=30 --no-wait set Open_vSwitch . external_ids:"a"="1"'
        ' -- set Open_vSwitch . other_config:"b"="2"',
    ]


def test_all_databases_are_asked_once() -> None:
    listeners = [OvsdbListener("northbound", 6641, "::1"), OvsdbListener("ovs", 6640, "127.0.0.1")]
    host = FakeHost({"ov": '{"data":[],"headings":["_uuid","target","inactivity_probe"]}'})
    assert set(OvsdbListener.query([*listeners, listeners[0]], host).values()) == {None}
    assert len(host.ran) == 2


@pytest.mark.parametrize(
    "resource", [OvsSetting("external_ids", "a", "1"), OvsBridge("br-ex", "netdev"), OvsdbListener("ovs", 1, "::1")]
)
def test_without_open_vswitch_nothing_is_there_and_what_does_not_run_cannot_be_known(resource: Any) -> None:
    assert type(resource).query([resource], FakeHost({"ovs-vsctl": NOT_INSTALLED})) == {resource.id: None}
    state = type(resource).query([resource], FakeHost({"ovs-vsctl": NOT_RUNNING}))[resource.id]
    assert isinstance(state, Unknown)
    assert "database connection failed" in state.reason


def test_a_database_that_was_just_started_is_waited_for(monkeypatch: pytest.MonkeyPatch) -> None:
    moments = iter([0.0, 1.0, 2.0, 99.0])
    monkeypatch.setattr(ovsdb.time, "monotonic", lambda: next(moments))
    monkeypatch.setattr(ovsdb.time, "sleep", lambda _: None)
    host = FakeHost({"ovn-sbctl": NOT_RUNNING})
    with pytest.raises(CannotFix, match=r"database connection failed .* \(asked for 30 s\)"):
        ovsdb.ask_soon("ovn-sbctl", ["Connection"], host)
    assert len(host.ran) == 3
