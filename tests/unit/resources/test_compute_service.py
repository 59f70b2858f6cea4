"""nova-compute works once Nova has heard of it since its start."""

from __future__ import annotations

import datetime
import time
from typing import Any

import pytest

from installer.resources.base import Unknown, from_wire, to_wire
from installer.resources.compute_service import ComputeService
from installer.resources.keystone_api import KeystoneApi
from installer.resources.secret import Secret
from tests.unit.resources.fake_host import FakeHost

SERVICE = ComputeService(
    KeystoneApi("http://127.0.0.1:1/v3", Secret("pw")),
    "http://127.0.0.1:1/v2.1",
    "c1",
    "openstack-nova-compute.service",
)
STARTED = {"MainPID": "7", "ExecMainStartTimestamp": "Sun 2026-11-22 15:17:14.000000 UTC", "ActiveState": "active"}


def one(host: str, updated: str | None, state: str = "up") -> dict[str, Any]:
    return {"host": host, "updated_at": updated, "state": state}


@pytest.mark.parametrize(
    ("services", "words"),
    [
        ([], "Nova has not heard of it"),
        ([one("c11", "2026-11-22T15:17:20.000000")], "Nova has not heard of it"),
        ([one("c1", None)], "Nova has not heard of it since it was started"),
        ([one("c1", "2026-11-22T15:16:00.000000")], "Nova has not heard of it since it was started"),
        ([one("c1", "2026-11-22T15:17:20.000000")], "yes"),
        ([one("c1", "2026-11-22T15:17:11.000000")], "yes"),
        (
            [one("c1", "2026-11-22T15:18:20.000000", "down")],
            "Nova has heard of it last at 2026-11-22T15:18:20.000000 UTC",
        ),
    ],
    ids=["nothing", "another host's", "never", "before its start", "since its start", "clocks differ", "silent again"],
)
def test_it_works_once_nova_has_heard_of_it_since_its_start(services: list[dict[str, Any]], words: str) -> None:
    assert SERVICE.words(services, STARTED) == words


def test_while_nobody_answers_nothing_is_known() -> None:
    shown = "Id=openstack-nova-compute.service\nActiveState=active\nMainPID=0\n"
    state = ComputeService.query([SERVICE], FakeHost({"systemctl": shown}))[SERVICE.id]
    assert isinstance(state, Unknown)
    assert "127.0.0.1:1" in state.reason


@pytest.mark.parametrize(
    ("ago", "state", "actual", "again"),
    [
        (300, "active", {"works": "Nova has not heard of it"}, True),
        (5, "active", {"works": "Nova has not heard of it"}, False),
        (300, "failed", {"works": "Nova has not heard of it"}, False),
        (300, "active", Unknown("nobody answers"), False),
    ],
    ids=["in vain for long", "just started", "failed", "nothing known"],
)
def test_one_that_has_run_in_vain_for_long_is_started_again(ago: float, state: str, actual: Any, again: bool) -> None:
    began = datetime.datetime.fromtimestamp(time.time() - ago, datetime.UTC)
    shown = {"Id": SERVICE.unit, "ActiveState": state, "MainPID": "7"}
    shown["ExecMainStartTimestamp"] = began.strftime("%a %Y-%m-%d %H:%M:%S.%f UTC")
    answers = {"systemctl show": "".join(f"{key}={value}\n" for key, value in shown.items()), "systemctl restart": ""}
    host = FakeHost(answers)
    SERVICE._start_again(actual, host)
    assert (f"systemctl restart -- {SERVICE.unit}" in host.ran) is again
    host.answers["systemctl restart"] = (1, "", "Job for it failed.")
    SERVICE._start_again(actual, host)


def test_it_crosses_the_wire() -> None:
    assert from_wire(to_wire(SERVICE)) == SERVICE
    assert SERVICE.reads_secrets() == [SERVICE.keystone.password]
