"""What follows from what a cloud says of itself: which image, which network, what cannot be tested and why."""

from __future__ import annotations

import pytest

from installer.tempest.facts import (
    Facts,
    Flavor,
    Image,
    OutsideNetwork,
    Subnet,
    best_image,
    best_outside,
    gaps,
    project_network,
    stays,
    workers,
)
from installer.verify import names

TINY = Flavor("f-1", "m1.tiny", 512, 1)
IMAGE = Image("i-1", "pystack-test")
OUTSIDE = OutsideNetwork("n-1", "public", (Subnet("s-1", "10.91.8.0/24"),))
WITH_COMPUTE = frozenset({"identity", "image", "compute", "network"})


def test_the_image_of_the_answer_file_goes_before_a_smaller_one() -> None:
    images = [Image("i-2", "small", 1), Image("i-3", "wanted", 9), Image("i-1", "smaller", 0)]
    assert best_image(images, "wanted") == images[1]
    assert best_image(images, "gone") == images[2]
    assert best_image([], "gone") is None


@pytest.mark.parametrize(
    ("name", "reliable"),
    [
        (f"{names.new_run(names.operator(), 0)}flavor", False),
        ("tempest-flavor-1", False),
        ("m1.tiny", True),
        ("tempestuous", True),
        ("", True),
        (None, True),
    ],
)
def test_what_another_verification_has_made_is_not_relied_on(name: str | None, reliable: bool) -> None:
    assert stays(name) is reliable


def test_an_outside_network_without_ipv4_has_no_floating_addresses() -> None:
    six = OutsideNetwork("n-2", "public", ())
    other = OutsideNetwork("n-3", "another", (Subnet("s-2", "192.0.2.0/24"),))
    assert best_outside([six, other], "public") == other
    assert best_outside([other, OUTSIDE], "public") == OUTSIDE
    assert best_outside([six], "public") is None


@pytest.mark.parametrize(
    ("taken", "chosen"),
    [
        ([], "10.100.0.0/16"),
        (["10.91.8.0/24", "2001:db8::/64"], "10.100.0.0/16"),
        (["10.0.0.0/8"], "172.24.0.0/16"),
        (["10.0.0.0/8", "172.16.0.0/12"], "192.168.128.0/17"),
    ],
)
def test_networks_of_tests_are_none_of_the_outsides(taken: list[str], chosen: str) -> None:
    assert project_network(taken) == chosen


@pytest.mark.parametrize(
    ("facts", "reason"),
    [
        (Facts(), None),
        (Facts(WITH_COMPUTE, None, (TINY,), OUTSIDE, ("router",), 1), "no active public image"),
        (Facts(WITH_COMPUTE, Image("i", "fat", min_ram=1024), (TINY,), OUTSIDE, ("router",), 1), "that fat boots with"),
        (Facts(WITH_COMPUTE, Image("i", "fat", 2 << 30), (TINY,), OUTSIDE, ("router",), 1), "that fat boots with"),
        (Facts(WITH_COMPUTE, IMAGE, (TINY,), OUTSIDE, ("router",), 0), "no compute host is up"),
        (Facts(WITH_COMPUTE, IMAGE, (TINY,), None, ("router",), 1), "no outside network"),
        (Facts(WITH_COMPUTE, IMAGE, (TINY,), OUTSIDE, (), 1), "no outside network"),
        (Facts(frozenset({"identity", "block-storage"})), "no backend that is up"),
        (Facts(WITH_COMPUTE, IMAGE, (TINY,), OUTSIDE, ("router",), 1), None),
    ],
)
def test_what_cannot_be_tested_is_said_with_its_reason(facts: Facts, reason: str | None) -> None:
    found = [why for _, why in gaps(facts)]
    assert len(found) == (reason is not None)
    assert reason is None or reason in found[0]


@pytest.mark.parametrize(
    ("cores", "compute_hosts", "at_once"),
    [(1, 1, 1), (2, 1, 1), (4, 1, 2), (16, 1, 2), (16, 2, 4), (64, 30, 8), (4, 0, 2)],
)
def test_as_many_tests_at_once_as_machine_and_cloud_can_bear(cores: int, compute_hosts: int, at_once: int) -> None:
    assert workers(cores, compute_hosts) == at_once
