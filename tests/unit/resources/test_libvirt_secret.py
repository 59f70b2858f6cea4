"""Keys that libvirt keeps: found by UUID, compared, set without ever being on a command line."""

from __future__ import annotations

import pytest

from installer.resources.base import CannotFix, Unknown, from_wire, to_wire
from installer.resources.libvirt_secret import VIRSH, LibvirtSecret, parse_list
from installer.resources.secret import Secret
from tests.unit.resources.fake_host import FakeHost

UUID = "7e4e8ad9-6a0f-4c33-9f0b-2f5a4d6b1c58"
OTHER = "457eb676-33da-42ec-9a8c-9293d545c337"
SECRET = LibvirtSecret(UUID, "client.cinder of <pystack>", Secret("aGlkZGVu"))
#: As virsh 9 and 11 print it, with and without --quiet.
LIST = (
    " UUID                                   Usage\n"
    "-------------------------------------------------------------------\n"
    f" {OTHER}   ceph client.glance secret\n"
    f" {UUID}   ceph client.cinder of <pystack>\n\n"
)
ASK = " ".join(VIRSH)


def host(listed=LIST, value="aGlkZGVu\n", **more):
    return FakeHost(
        {
            f"{ASK} secret-list": listed,
            f"{ASK} secret-get-value {UUID}": value,
            f"{ASK} secret-define --file /dev/stdin": "",
            f"{ASK} secret-set-value {UUID} --file /dev/stdin": "",
            **more,
        }
    )


def state(**answers):
    return LibvirtSecret.query([SECRET], host(**answers))[SECRET.id]


def test_a_list_says_what_each_secret_is_for():
    assert parse_list(LIST) == {OTHER: "ceph client.glance secret", UUID: "ceph client.cinder of <pystack>"}
    assert parse_list("") == {}


def test_a_key_that_is_there_needs_nothing():
    assert state() == SECRET.expected()


@pytest.mark.parametrize(
    ("answers", "actual"),
    [
        ({"listed": ""}, None),
        ({"value": "b3RoZXI=\n"}, {"use": "ceph client.cinder of <pystack>", "value": Secret("b3RoZXI=")}),
        ({"value": (1, "", "error: no value")}, {"use": "ceph client.cinder of <pystack>", "value": None}),
    ],
    ids=["absent", "another key", "no key yet"],
)
def test_what_differs_is_told(answers, actual):
    assert state(**answers) == actual


def test_before_libvirt_runs_nothing_is_known():
    actual = state(listed=(1, "", "error: failed to connect to the hypervisor\nerror: no such socket\n"))
    assert isinstance(actual, Unknown)
    assert "no such socket" in actual.reason


def test_the_key_goes_over_standard_input_and_never_into_a_command_line():
    told = host(listed="")
    SECRET.fix(None, told)
    defined, value = told.given[-2:]
    assert f"<uuid>{UUID}</uuid>" in defined["stdin"]
    assert "<name>client.cinder of &lt;pystack&gt;</name>" in defined["stdin"]
    assert value["stdin"] == Secret("aGlkZGVu")
    assert "aGlkZGVu" not in " ".join(told.ran)


def test_a_uuid_that_is_taken_is_left_alone_and_told():
    told = host(listed=f" {UUID}   ceph somebody's\n")
    with pytest.raises(CannotFix, match=r"for 'ceph somebody's' under .* CONFIG_CINDER_CEPH_SECRET_UUID"):
        SECRET.fix(None, told)
    assert not [line for line in told.ran if "secret-define" in line]


def test_neither_key_shows_in_the_plan():
    lines = SECRET.explain({"use": SECRET.expected()["use"], "value": Secret("b3RoZXI=")}, host())
    assert lines == ["  value: ******** -> ********"]


def test_it_crosses_the_wire():
    assert from_wire(to_wire(SECRET)) == SECRET
