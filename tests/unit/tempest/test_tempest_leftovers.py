"""What Tempest has left is told from what others have made meanwhile."""

from __future__ import annotations

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
