from __future__ import annotations

from typing import Any

import pytest

from installer.resources.base import Unknown, from_wire, to_wire
from installer.resources.heard_of import moment
from installer.resources.keystone_api import KeystoneApi
from installer.resources.secret import Secret
from installer.resources.volume import VolumeBackend, VolumeType, errors, gave_up
from tests.unit.resources.fake_host import FakeHost

KEYSTONE = KeystoneApi("http://127.0.0.1:1/v3", Secret("pw"))
URL = "http://127.0.0.1:1/v3"
NFS = VolumeType(KEYSTONE, URL, "nfs", "nfs")
BACKEND = VolumeBackend(KEYSTONE, URL, "h", "nfs", "openstack-cinder-volume.service")
#: 2026-11-22 15:17:14 UTC
STARTED = {"MainPID": "7", "ExecMainStartTimestamp": "Sun 2026-11-22 15:17:14.000000 UTC", "ActiveState": "active"}


@pytest.mark.parametrize(
    ("types", "state"),
    [
        ([], None),
        ([{"name": "lvm", "extra_specs": {"volume_backend_name": "nfs"}}], None),
        ([{"name": "nfs", "extra_specs": {"volume_backend_name": "nfs", "more": "x"}}], {"volume_backend_name": "nfs"}),
        ([{"name": "nfs", "extra_specs": {}}], {"volume_backend_name": None}),
        ([{"name": "nfs"}], {"volume_backend_name": None}),
    ],
    ids=["none", "another's", "the one, with more", "without a backend", "whose specs are not shown"],
)
def test_a_volume_type_is_known_by_its_name(types: list[dict[str, Any]], state: Any) -> None:
    assert NFS.state(types) == state


def pool(name: str, timestamp: str) -> dict[str, Any]:
    return {"name": name, "capabilities": {"timestamp": timestamp}}


@pytest.mark.parametrize(
    ("pools", "words"),
    [
        ([], "the scheduler has not heard of it"),
        ([pool("other@nfs#nfs", "2026-11-22T15:17:20.000000")], "the scheduler has not heard of it"),
        ([pool("h@nfs2#nfs", "2026-11-22T15:17:20.000000")], "the scheduler has not heard of it"),
        ([pool("h@nfs#nfs", "2026-11-22T15:16:00.000000")], "the scheduler has not heard of it since it was started"),
        ([pool("h@nfs#a", "2026-11-22T15:16:00"), pool("h@nfs#b", "2026-11-22T15:17:20.5")], "yes"),
        ([pool("h@nfs#nfs", "2026-11-22T15:17:11.000000")], "yes"),
    ],
    ids=["nothing", "another host's", "another backend's", "an old one", "one of two pools", "clocks differ"],
)
def test_a_backend_works_once_the_scheduler_has_heard_of_it_since_its_start(
    pools: list[dict[str, Any]], words: str
) -> None:
    assert BACKEND.words(pools, STARTED) == words


def test_times_without_a_zone_are_utc() -> None:
    assert moment("1970-01-02T00:00:00.250000") == 86400.25
    assert moment("1970-01-02T00:00:00Z") == 86400


def test_while_nobody_answers_nothing_is_known() -> None:
    shown = "Id=openstack-cinder-volume.service\nActiveState=active\nMainPID=0\n"
    for resource in (NFS, BACKEND):
        state = type(resource).query([resource], FakeHost({"systemctl": shown}))[resource.id]
        assert isinstance(state, Unknown)
        assert "127.0.0.1:1" in state.reason


@pytest.mark.parametrize("resource", [NFS, BACKEND])
def test_they_cross_the_wire(resource: Any) -> None:
    assert from_wire(to_wire(resource)) == resource
    assert resource.reads_secrets() == [KEYSTONE.password]


JOURNAL = """\
2026-11-22 15:38:52.632 5645 INFO cinder.service [-] Starting cinder-volume node (version 29.0.0)
2026-11-22 15:38:52.632 5645 ERROR os_brick.remotefs.remotefs [None req-1f - - - - - -] Failed to mount a:/nope
2026-11-22 15:38:54.164 5645 ERROR os_brick.remotefs.remotefs [None req-1f - - - - - -] Failed to mount a:/nope
2026-11-22 15:38:56.078 5645 ERROR cinder.volume.manager [None req-1f - - - - - -] Failed to initialize driver.
2026-11-22 15:38:56.078 5645 ERROR cinder.volume.manager Traceback (most recent call last):
2026-11-22 15:38:56.078 5645 ERROR cinder.volume.manager   File "manager.py", line 523, in _init_host
"""
LAST = (
    "2026-11-22 15:39:28 5645 ERROR cinder.service [-] Manager for service cinder-volume h@nfs is reporting problems,"
)


def test_a_failure_shows_each_error_of_the_journal_once_and_no_trace() -> None:
    assert errors(JOURNAL + LAST) == ["Failed to mount a:/nope", "Failed to initialize driver."]
    assert errors("Started x.service\n") == []


def test_a_driver_that_is_tried_again_is_told_from_one_that_is_given_up() -> None:
    assert not gave_up(JOURNAL, "h@nfs")
    assert gave_up(JOURNAL + LAST, "h@nfs")
    assert not gave_up(JOURNAL + LAST, "h@lvm")
