"""What Tempest has left is told from what others have made meanwhile."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import pytest

from installer import tempest
from installer.tempest import leftovers
from installer.tempest.facts import Facts
from installer.tempest.leftovers import KINDS, Thing, left

BEFORE = [
    Thing("project", "p-demo", "demo"),
    Thing("server", "s-old", "tempest-of-somebody", "p-demo"),
    Thing("role", "r", "member"),
]


def test_nothing_is_left_where_nothing_is_new() -> None:
    assert left(BEFORE, BEFORE) == []


def test_new_things_with_its_name_or_in_its_projects_or_without_a_project_are_its_own() -> None:
    own = [
        Thing("server", "s-new", "tempest-x-1", "p-demo"),
        Thing("security group", "g", "default", "p-tempest"),
        Thing("floating address", "f", "", "p-gone"),
        Thing("project", "p-tempest", "tempest-Class-1"),
    ]
    assert left(BEFORE, [*BEFORE, *own]) == own


def test_what_others_make_meanwhile_is_left_alone() -> None:
    others = [
        Thing("project", "p-new", "somebody's"),
        Thing("server", "s-1", "mine", "p-new"),
        Thing("network", "n-1", "private", "p-demo"),
        Thing("role", "r-2", "new-role"),
    ]
    assert left(BEFORE, [*BEFORE, *others]) == []


def test_things_go_before_what_they_are_in() -> None:
    order = [kind.name for kind in KINDS]
    assert len(order) == len(set(order))
    for first, then in [("server", "volume"), ("router", "network"), ("port", "network"), ("volume", "volume type")]:
        assert order.index(first) < order.index(then)
    assert order.index("project") > max(order.index(name) for name in ("server", "network", "security group", "user"))


@pytest.mark.parametrize("heard", [True, False], ids=["somebody reads", "nobody reads any more"])
def test_what_is_left_goes_whether_anybody_reads_of_it_or_not(monkeypatch: pytest.MonkeyPatch, heard: bool) -> None:
    cloud = [*BEFORE, Thing("project", "p-tempest", "tempest-Class-1"), Thing("user", "u", "tempest-Class-1-project")]
    told: list[str] = []

    def tell(text: str) -> None:
        told.append(text)
        if not heard:
            raise BrokenPipeError(32, "Broken pipe")

    def remove(_admin: Any, things: list[Thing]) -> None:
        for thing in things:
            cloud.remove(thing)

    monkeypatch.setattr(leftovers, "inventory", lambda admin, services: list(cloud))
    monkeypatch.setattr(leftovers, "remove", remove)
    live: Any = SimpleNamespace(tell=tell, admin=None)
    assert tempest._cleared(live, Facts(), BEFORE) == []
    assert cloud == BEFORE
    assert told[1:] == ["removing 2 things that Tempest has left", "all of it is gone"]
