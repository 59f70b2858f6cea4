from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any, ClassVar

import pytest

from installer.agent.apply import Step, apply, changes
from installer.agent.host import CommandFailed, Completed, Host
from installer.resources.base import KINDS, Actual, Resource, State, Unknown

world: dict[str, Any] = {}


@pytest.fixture(autouse=True)
def _fresh_world() -> Iterator[None]:
    world.clear()
    yield
    world.clear()


@dataclass(frozen=True)
class Lamp(Resource):
    kind: ClassVar[str] = "test-lamp"
    place: str
    light: str = "on"
    breaks: str = ""

    @property
    def name(self) -> str:
        return self.place

    def expected(self) -> State:
        return {"light": self.light}

    @classmethod
    def query(cls, resources: Sequence[Lamp], host: Host) -> dict[str, Actual]:
        world["queries"] = world.get("queries", 0) + 1
        return {lamp.id: {"light": world[lamp.place]} if lamp.place in world else None for lamp in resources}

    def fix(self, actual: Actual, host: Host) -> None:
        if self.breaks == "command":
            raise CommandFailed(Completed(("lamp", "--on"), 3, "trying\n", "no bulb\n"))
        if self.breaks != "silently":
            world[self.place] = self.light

    def diagnose(self, host: Host) -> list[str]:
        return ["the socket is dusty"]


class Bell(Lamp):
    kind: ClassVar[str] = "test-bell"

    def affected_by(self, differing: Any) -> list[str]:
        return ["rings"] if "test-lamp:hall" in differing else []


class Dark(Lamp):
    kind: ClassVar[str] = "test-dark"

    @classmethod
    def query(cls, resources: Sequence[Lamp], host: Host) -> dict[str, Actual]:
        return {lamp.id: Unknown("there is no power") for lamp in resources}


KINDS.pop("test-lamp", None), KINDS.pop("test-bell", None), KINDS.pop("test-dark", None)


def run(*resources: Resource) -> tuple[dict[str, Any], list[dict[str, Any]]]:
    told: list[dict[str, Any]] = []
    return apply(Step("lamps", resources), Host(), told.append, lambda: False), told


def test_what_differs_is_fixed_and_read_again() -> None:
    world["hall"] = "on"
    result, told = run(Lamp("hall"), Lamp("attic"))
    assert (result["changed"], result["unchanged"]) == (["test-lamp:attic"], 1)
    assert [(event["resource"], event["what"]) for event in told] == [
        ("test-lamp:attic", "fixing"),
        ("test-lamp:attic", "changed"),
    ]
    assert run(Lamp("hall"), Lamp("attic"))[0]["changed"] == []


def test_a_fix_that_ends_well_but_changes_nothing_is_a_failure() -> None:
    result, _ = run(Lamp("hall", breaks="silently"))
    assert result["failure"]["message"].startswith("still not as expected after the fix: + light: on")


def test_a_failure_names_command_code_tails_and_diagnosis_and_stops_the_step() -> None:
    result, _ = run(Lamp("hall", breaks="command"), Bell("door"))
    failure = result["failure"]
    assert failure["resource"] == "test-lamp:hall"
    assert failure["command"] == {"argv": ["lamp", "--on"], "code": 3, "out": ["trying"], "err": ["no bulb"]}
    assert failure["diagnosis"] == ["the socket is dusty"]
    assert "door" not in world


def test_the_resource_whose_fix_failed_is_named_even_when_others_of_its_type_came_before() -> None:
    result, _ = run(Lamp("hall"), Lamp("attic", breaks="command"))
    assert result["failure"]["resource"] == "test-lamp:attic"


def test_resources_of_one_type_are_queried_together() -> None:
    changes([Step("a", (Lamp("1"), Lamp("2"))), Step("b", (Lamp("3"),))], Host())
    assert world["queries"] == 1


def test_changes_tell_what_will_follow_from_another_change() -> None:
    world.update(door="on")
    found = changes([Step("a", (Lamp("hall"), Bell("door")))], Host())
    assert [(change["resource"], change["action"], change["lines"]) for change in found] == [
        ("test-lamp:hall", "create", ["+ light: on"]),
        ("test-bell:door", "update", ["rings"]),
    ]


def test_what_cannot_be_known_yet_is_planned_as_such() -> None:
    (found,) = changes([Step("a", (Dark("hall"),))], Host())
    assert (found["action"], found["lines"][0]) == ("unknown", "  not known yet: there is no power")


def test_nothing_starts_once_the_controller_is_gone() -> None:
    result = apply(Step("lamps", (Lamp("hall"),)), Host(), print, lambda: True)
    assert result["failure"]["stopped"] is True
    assert world == {}


def test_what_cannot_be_known_yet_is_told_with_its_reason() -> None:
    lamp = Lamp("hall")
    assert lamp.explain(Unknown("no electricity yet"), Host()) == ["  not known yet: no electricity yet", "+ light: on"]
