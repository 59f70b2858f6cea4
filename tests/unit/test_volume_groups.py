"""What differs in a volume group between before and after a run."""

from __future__ import annotations

import copy
from collections.abc import Callable
from typing import Any

import pytest

from installer.volume_groups import compared

CINDERS = "volume-0b9d5d3c-6f1c-4d1e-8a52-3f5f3a0c9d11"


def group() -> dict[str, Any]:
    return {
        "name": "site",
        "uuid": "g1",
        "size": 8 << 30,
        "free": 4 << 30,
        "tags": "",
        "writable": True,
        "exported": False,
        "missing": 0,
        "root": False,
        "devices": {"p1": {"name": "/dev/vdb", "size": 8 << 30, "tags": "", "file": ""}},
        "volumes": {
            "l1": {"name": "home", "size": 1 << 30, "tags": "", "active": True},
            "l2": {"name": CINDERS, "size": 1 << 30, "tags": "", "active": True},
        },
    }


def told(change: Callable[[dict[str, Any]], Any]) -> list[str]:
    after = group()
    change(after)
    (finding,) = compared("192.0.2.1", [group()], {"groups": [after], "problem": ""})
    return list(finding.lines)


@pytest.mark.parametrize(
    ("change", "line"),
    [
        (lambda it: it.update(uuid="g2"), "g1 is gone"),
        (lambda it: it.update(name="cinder-volumes"), "name: site -> cinder-volumes"),
        (lambda it: it.update(tags="pystack"), "tags:  -> pystack"),
        (lambda it: it.update(exported=True), "exported: False -> True"),
        (lambda it: it["devices"].clear(), "physical volume /dev/vdb is gone"),
        (lambda it: it["devices"].update(p2={"name": "/dev/vdc"}), "physical volume /dev/vdc is new"),
        (
            lambda it: it["devices"]["p1"].update(size=9 << 30),
            "physical volume /dev/vdb: size 8589934592 -> 9663676416",
        ),
        (lambda it: it["volumes"].pop("l1"), "logical volume home is gone"),
        (lambda it: it["volumes"]["l1"].update(name="house"), "logical volume home: name home -> house"),
        (lambda it: it["volumes"]["l1"].update(active=False), "logical volume home: active True -> False"),
    ],
)
def test_what_changed_is_told(change: Callable[[dict[str, Any]], Any], line: str) -> None:
    assert line in told(change)


@pytest.mark.parametrize(
    "change",
    [
        lambda it: None,
        lambda it: it.update(free=0),
        lambda it: it["devices"]["p1"].update(name="/dev/vdc"),
        lambda it: it["volumes"].pop("l2"),
        lambda it: it["volumes"].update(l3={"name": "site-pool", "size": 1, "tags": "", "active": True}),
    ],
    ids=["nothing", "space", "the name of a disk after a boot", "Cinder's volume removed", "a pool made"],
)
def test_what_cinder_and_its_users_do_in_it_is_no_change(change: Callable[[dict[str, Any]], Any]) -> None:
    assert told(change) == []


def test_a_group_that_is_as_it_was_is_told_with_its_uuid() -> None:
    (finding,) = compared("192.0.2.1", [group()], {"groups": [copy.deepcopy(group())], "problem": ""})
    assert finding.outcome == "success"
    assert finding.found == "site (g1) is as it was; so is what is not Cinder's in it: 1 logical volume"


def test_where_lvm_does_not_tell_nothing_is_called_gone() -> None:
    (finding,) = compared("192.0.2.1", [group()], {"groups": [], "problem": "lvm did not end within 10 s"})
    assert finding.outcome == "warn"
