"""Verdicts on what SELinux denied."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import pytest

from installer.verify import denials
from installer.verify.denials import judge

DENIAL = {
    "time": 1.0, "source": "rabbitmq_beam_t", "target": "tmpfs_t", "kind": "file", "permissions": ["execute", "map"],
    "program": "beam.smp", "what": "/memfd:vmem", "enforced": True,
}  # fmt: skip


def verdicts(**answer: Any) -> list[tuple[str, str]]:
    told = {"mode": "enforcing", "found": [], "log": "audit log", "running": True, "failed": [], **answer}
    return [(verdict.outcome, verdict.found) for verdict in judge("192.0.2.1", told)]


def test_a_host_without_selinux_has_no_verdict() -> None:
    assert verdicts(mode="absent") == []


def test_what_was_denied_fails_and_is_named() -> None:
    ((outcome, found),) = verdicts(found=[DENIAL])
    assert outcome == "fail"
    assert "beam.smp (rabbitmq_beam_t): execute, map of file /memfd:vmem (tmpfs_t)" in found


def test_what_would_be_denied_is_a_warning() -> None:
    ((outcome, found),) = verdicts(mode="permissive", found=[{**DENIAL, "enforced": False}])
    assert outcome == "warn"
    assert "would be denied: beam.smp" in found


def test_a_domain_that_the_policy_itself_lets_through_on_a_host_that_enforces_is_told_without_a_warning() -> None:
    let_through = {**DENIAL, "enforced": False, "source": "virtqemud_t", "program": "virtqemud"}
    ((outcome, found),) = verdicts(found=[let_through])
    assert outcome == "success"
    assert "domains that the policy lets through for now: virtqemud (virtqemud_t)" in found
    assert "would" not in found
    assert verdicts(found=[let_through], failed=["virtqemud.service"])[0][0] == "warn"
    ((outcome, found),) = verdicts(found=[let_through, DENIAL])
    assert outcome == "fail"
    assert "virtqemud" not in found


def test_what_was_denied_before_the_host_became_permissive_is_told_as_well() -> None:
    ((outcome, found),) = verdicts(mode="permissive", found=[DENIAL])
    assert outcome == "warn"
    assert "beam.smp" in found


def test_where_a_service_failed_or_none_runs_it_is_not_said_that_all_is_well() -> None:
    assert verdicts(failed=["rabbitmq-server.service"]) == [("warn", "enforcing; failed: rabbitmq-server.service")]
    assert verdicts(running=False) == [("warn", "enforcing; no service of the cloud runs here")]


def test_nothing_denied_is_good_in_either_state() -> None:
    assert verdicts() == [("success", "enforcing; nothing was denied to our services")]
    assert verdicts(mode="permissive")[0][0] == "success"


def test_a_host_that_cannot_be_asked_is_not_a_failure_of_the_cloud() -> None:
    ((outcome, found),) = verdicts(problem="no route to host")
    assert outcome == "warn"
    assert "no route to host" in found


def test_a_long_list_is_cut() -> None:
    ((_, found),) = verdicts(found=[{**DENIAL, "program": f"p{number}"} for number in range(9)])
    assert found.endswith("and 3 more")


def test_a_cloud_without_selinux_is_told_as_left_out_and_one_with_it_on_a_host_is_not(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    live: Any = SimpleNamespace(hosts=[SimpleNamespace(address="192.0.2.1"), SimpleNamespace(address="192.0.2.2")])
    modes = {"192.0.2.1": "absent", "192.0.2.2": "absent"}
    answer = {"found": [], "log": "", "running": True, "failed": []}
    monkeypatch.setattr(denials, "_ask", lambda live, address: {"mode": modes[address], **answer})
    assert [(one.outcome, one.found) for one in denials.verdicts(live)] == [
        ("skipped", "left out: it is off on every host")
    ]
    modes["192.0.2.2"] = "enforcing"
    assert [(one.outcome, one.title) for one in denials.verdicts(live)] == [("success", "SELinux on 192.0.2.2")]
