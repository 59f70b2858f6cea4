"""What the platforms' files say was seen at work, held against the results in the test matrix."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

import pytest

from installer.paths import read_yaml
from installer.platforms import Platform, find, supported
from installer.platforms.platform import entries
from installer.platforms.tables import NO, REAL, STAND_IN
from tests.matrix import results
from tests.matrix.declared import FEATURES
from tests.matrix.results import Kind, Result

#: What shows facts, by ``section.fact``, ``*.fact`` or section.
SHOWN: dict[str, list[str]] = read_yaml(Path(__file__).with_name("shown.yaml"))
RESULTS = results.read()
#: What a stand-in cannot show: it has the policy of another distribution, and starts with the rules of another one.
OF_ITS_OWN = ("selinux", "group_label", "rules")
EVERY_FACT = {f"{section}.{fact}" for one in supported() for section, facts in entries(one).items() for fact in facts}


def shown_by(key: str) -> list[str]:
    """Return the features or tests that show a fact, ``section.fact``."""
    return next(SHOWN[one] for one in keys(key) if one in SHOWN)


def keys(key: str) -> tuple[str, ...]:
    """Return what may stand for a fact in the table, the closest first."""
    section, _, fact = key.partition(".")
    return key, f"*.{fact}", section


def is_shown(result: Result, shows: Iterable[str]) -> bool:
    """Tell whether a result is of one of the features, of one of the tests, or of all tests of such a one's file."""
    return any(one in result.shows or result.test in (one, one.partition("::")[0]) for one in shows)


def best(platform: str, key: str, among: Iterable[Result]) -> str:
    """Return where results show a fact at work: ``real``, ``stand-in`` or ``no``."""
    kinds = {
        result.kind
        for result in among
        if result.passed and result.platform == platform and is_shown(result, shown_by(key))
    }
    if kinds & {Kind.MACHINE, Kind.REAL}:
        return REAL
    return STAND_IN if Kind.STAND_IN in kinds and key.partition(".")[2] not in OF_ITS_OWN else NO


@pytest.mark.parametrize("platform", supported(), ids=lambda platform: platform.name)
def test_a_fact_is_said_to_be_seen_where_a_result_shows_it_and_nowhere_else(platform: Platform) -> None:
    said = {
        f"{section}.{name}": fact.seen for section, facts in entries(platform).items() for name, fact in facts.items()
    }
    assert said == {key: best(platform.name, key, RESULTS) for key in said}


def test_a_release_that_was_seen_nowhere_has_no_fact_that_was() -> None:
    seen = {
        one.name for one in supported() for facts in entries(one).values() for fact in facts.values() if fact.seen != NO
    }
    assert seen == {result.platform for result in RESULTS if result.passed} - {""}


def test_every_fact_has_what_shows_it_and_all_of_that_is_there() -> None:
    assert {key for key in EVERY_FACT if not set(keys(key)) & set(SHOWN)} == set()
    assert set(SHOWN) <= {one for key in EVERY_FACT for one in keys(key)}
    tests = {result.test for result in RESULTS}
    assert {one for shows in SHOWN.values() for one in shows} <= set(FEATURES) | tests


@pytest.mark.parametrize(
    ("kind", "passed", "key", "seen"),
    [
        (Kind.STAND_IN, True, "cinder.lvm", STAND_IN),
        (Kind.REAL, True, "cinder.lvm", REAL),
        (Kind.MACHINE, True, "cinder.lvm", REAL),
        (Kind.REAL, False, "cinder.lvm", NO),
        (Kind.REAL, True, "cinder.nfs", NO),
        (Kind.STAND_IN, True, "haproxy.selinux", NO),
        (Kind.REAL, True, "haproxy.selinux", REAL),
        (Kind.REAL, True, "time.unit", NO),
    ],
)
def test_what_passed_shows_its_facts_but_a_stand_in_not_the_policy(
    kind: Kind, passed: bool, key: str, seen: str
) -> None:
    result = Result("2026-11-28", "abc", "a test", ("volumes-lvm", "selinux-enforcing"), passed, "el-9", kind)
    assert best("el-9", key, [result]) == seen
    assert best("el-10", key, [result]) == NO


def test_a_test_shows_what_it_is_named_for_and_so_does_its_whole_file() -> None:
    (test,) = SHOWN["libvirt.mkisofs"]
    for name, seen in ((test, REAL), (test.partition("::")[0], REAL), (f"{test}_of_another", NO)):
        result = Result("2026-11-28", "abc", name, ("instances",), True, "debian-12", Kind.REAL)
        assert best(find("debian-12").name, "libvirt.mkisofs", [result]) == seen
