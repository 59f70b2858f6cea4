"""Storage systems that hosts must reach: which, from which hosts, and what is said when they do not."""

from __future__ import annotations

import socket
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
import yaml

from installer.agent import connections
from installer.agent.probes import probe
from installer.outcome import Finding
from installer.preflight import backend_checks
from installer.preflight.seen import Seen
from tests.unit.resources.fake_host import FakeHost
from tests.unit.roles.test_cinder import EVERYTHING
from tests.unit.roles.test_roles import cloud_of

CASES = yaml.safe_load((Path(__file__).parent / "backends.yaml").read_text())
HOSTS = {"CONFIG_STORAGE_HOST": "192.0.2.20", "CONFIG_COMPUTE_HOSTS": "192.0.2.30"}
SYSTEMS = {
    "CONFIG_CINDER_NETAPP_HOSTNAME": "192.0.2.50",
    "CONFIG_CINDER_NETAPP_NFS_SHARES": "192.0.2.51:/a,192.0.2.51:/b,[2001:db8::52]:/c",
    "CONFIG_CEPH_MONITORS": "mon1,[2001:db8::72]:6790",
}


def cloud_for(asks: dict[str, str]) -> Any:
    told = {name if name.startswith("CONFIG_") else f"CONFIG_CINDER_{name}": text for name, text in asks.items()}
    return cloud_of(**{**EVERYTHING, **HOSTS, **SYSTEMS, **told})


def findings(case: dict[str, Any]) -> list[tuple[str, Finding]]:
    cloud = cloud_for(case["asks"])
    asked = backend_checks.question(cloud.answers).get("connections", [])
    problems = case.get("problems", {})
    report = {
        "connections": [
            {"address": address, "port": port, "problem": problems.get(f"{address} {port}", "")}
            for address, port in asked
        ]
    }
    groups = ("storage", "compute", "controller")
    return [
        (group, finding)
        for group in groups
        for host in cloud.group(group)
        for finding in backend_checks.reachable(Seen(cloud, host, report, {}))
    ]


@pytest.mark.parametrize("case", CASES, ids=lambda case: case["title"])
def test_what_cannot_be_reached_is_said_of_the_hosts_that_need_it(case: dict[str, Any]) -> None:
    found = findings(case)
    for outcome in ("fail", "warn"):
        told = [f"{group} {finding.found}" for group, finding in found if finding.outcome == outcome]
        assert told == case.get(outcome, [])
    if "success" in case:
        assert [f"{group} {finding.found}" for group, finding in found] == case["success"]
    for _, finding in found:
        if finding.outcome != "success":
            assert finding.why
            assert finding.remedy
            assert case.get("remedy", "") in finding.remedy


@pytest.mark.parametrize("case", [case for case in CASES if "tried" in case], ids=lambda case: case["title"])
def test_agents_try_each_place_once_and_no_other(case: dict[str, Any]) -> None:
    asked = backend_checks.question(cloud_for(case["asks"]).answers).get("connections", [])
    assert [f"{address} {port}" for address, port in asked] == case["tried"]


@contextmanager
def listener(family: int, address: str) -> Iterator[int]:
    with socket.create_server((address, 0), family=family) as server:
        yield server.getsockname()[1]


def test_the_agent_tells_what_listens_from_what_refuses_what_is_silent_and_what_has_no_name() -> None:
    with listener(socket.AF_INET, "127.0.0.1") as port:
        asked = [["127.0.0.1", port], ["localhost", port], ["127.0.0.1", 1], ["no.such.invalid", 80], ["a" * 70, 1]]
        found = connections.connect([*asked, ["127.0.0.1", 99999]])
    assert [entry["problem"] for entry in found[:3]] == ["", "", "Connection refused"]
    assert all(entry["problem"] for entry in found[3:])
    assert [(entry["address"], entry["port"]) for entry in found[:2]] == [("127.0.0.1", port), ("localhost", port)]


def test_what_swallows_packets_is_not_waited_for_longer_than_all_else(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(connections, "PATIENCE", 0.2)
    with socket.socket() as full:
        full.bind(("127.0.0.1", 0))
        full.listen(0)
        # A queue that is full lets no further connection in, and says nothing.
        waiting = [socket.socket() for _ in range(3)]
        for one in waiting:
            one.setblocking(False)
            one.connect_ex(full.getsockname())
        began = time.monotonic()
        places = [["127.0.0.1", full.getsockname()[1]]]
        found = connections.connect(places)
        for one in waiting:
            one.close()
    assert found[0]["problem"] == "no answer within 0.2 s"
    assert time.monotonic() - began < 2


def test_the_question_goes_with_all_others_and_is_left_out_where_there_is_none() -> None:
    class Mute(FakeHost):
        def run(self, argv: Any, **options: Any) -> Any:
            options["expect"] = None
            self.answers.setdefault(" ".join(argv), (127, "", ""))
            return super().run(argv, **options)

    with listener(socket.AF_INET, "127.0.0.1") as port:
        found = probe({"connections": [["127.0.0.1", port]]}, Mute())
    assert found["connections"] == [{"address": "127.0.0.1", "port": port, "problem": ""}]
    assert "connections" not in probe({}, Mute())
