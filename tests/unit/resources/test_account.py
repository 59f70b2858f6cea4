from __future__ import annotations

import dataclasses
import grp
import os
import pwd

import pytest

from installer.resources import account
from installer.resources.account import FOREIGN, LOCAL, Group, User
from installer.resources.base import CannotFix
from tests.unit.resources.fake_host import FakeHost

FOUND = pwd.struct_passwd(("keystone", "x", 163, 163, "", "/var/lib/keystone", "/usr/sbin/nologin"))
DECLARED = User("keystone", "keystone", home="/var/lib/keystone")


class TestState:
    def test_an_account_as_declared_is_in_its_expected_state(self) -> None:
        assert DECLARED.state(FOUND, "keystone", ["keystone"], ["root", "keystone"]) == DECLARED.expected()

    def test_an_account_that_is_not_in_etc_passwd_is_foreign(self) -> None:
        state = DECLARED.state(FOUND, "keystone", ["keystone"], ["root"])
        assert state == {**(DECLARED.expected() or {}), "source": FOREIGN}

    def test_an_account_that_is_to_be_in_front_is_missing_while_only_the_name_service_has_it(self) -> None:
        item = dataclasses.replace(DECLARED, in_front=True)
        assert Group("root", in_front=True).state(grp.struct_group(("root", "x", 0, [])), ["wheel"]) is None
        assert item.state(FOUND, "keystone", ["keystone"], ["keystone"]) == item.expected()

    def test_a_preferred_id_is_no_part_of_the_state(self) -> None:
        item = User("keystone", "keystone", home="/var/lib/keystone", preferred_uid=5000)
        assert item.state(FOUND, "keystone", [], ["keystone"]) == item.expected()

    def test_a_forced_id_is(self) -> None:
        item = User("keystone", "keystone", home="/var/lib/keystone", uid=5000)
        state = item.state(FOUND, "keystone", [], ["keystone"])
        assert isinstance(state, dict)
        assert (state["uid"], (item.expected() or {})["uid"]) == (163, 5000)

    def test_further_groups_of_the_account_do_not_differ_but_lacking_ones_do(self) -> None:
        item = User("nova", "nova", groups=("qemu", "libvirt"))
        state = item.state(FOUND, "nova", ["nova", "libvirt", "wheel"], ["nova"])
        assert isinstance(state, dict)
        assert state["groups"] == ["libvirt"]
        assert (item.expected() or {})["groups"] == ["libvirt", "qemu"]

    def test_a_group_likewise(self) -> None:
        found = grp.struct_group(("keystone", "x", 163, []))
        assert Group("keystone").state(found, ["keystone"]) == {"source": LOCAL}
        assert Group("keystone", gid=163).state(found, ["keystone"]) == Group("keystone", gid=163).expected()
        assert Group("keystone").state(found, []) == {"source": FOREIGN}
        assert Group("keystone").state(None, []) is None

    def test_this_machines_own_root_is_found(self) -> None:
        root = pwd.getpwnam("root")
        item = User(
            "root", "root", uid=0, groups=("root",), home=root.pw_dir, shell=root.pw_shell, comment=root.pw_gecos
        )
        assert User.query([item, User("no-such", "x")], FakeHost()) == {item.id: item.expected(), "user:no-such": None}
        assert Group.query([Group("root", gid=0)], FakeHost()) == {"group:root": {"source": LOCAL, "gid": 0}}


class TestFix:
    def test_a_new_account(self) -> None:
        host = FakeHost({"useradd": ""})
        User("nova", "nova", groups=("libvirt", "qemu"), comment="OpenStack Nova").fix(None, host)
        assert host.ran == [
            "useradd --system --gid nova --groups libvirt,qemu --home-dir /nonexistent --no-create-home "
            "--shell /usr/sbin/nologin --comment OpenStack Nova nova"
        ]

    def test_a_preferred_id_is_used_if_it_is_free(self) -> None:
        host = FakeHost({"useradd": "", "groupadd": ""})
        User("x", "x", preferred_uid=61999).fix(None, host)
        Group("x", preferred_gid=61998).fix(None, host)
        assert "--uid 61999" in host.ran[0]
        assert "--gid 61998" in host.ran[1]

    def test_a_preferred_id_is_given_up_if_it_is_taken(self) -> None:
        host = FakeHost({"useradd": "", "groupadd": ""})
        User("x", "x", preferred_uid=0).fix(None, host)
        Group("x", preferred_gid=0).fix(None, host)
        assert "--uid" not in host.ran[0]
        assert "--gid" not in host.ran[1]

    def test_an_account_in_front_of_one_of_a_name_service_is_made_by_the_files_alone(
        self, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        theirs, ours = (pwd.struct_passwd(("nova", "x", uid, uid, "", "/", "/bin/sh")) for uid in (5001, 600))
        seen = iter((theirs, ours))
        monkeypatch.setattr(pwd, "getpwnam", lambda name: next(seen))
        host = FakeHost({"useradd": ""})
        User("nova", "nova", preferred_uid=600, in_front=True).fix(None, host)
        assert host.ran[0].startswith("useradd --prefix // --system --uid 600 --gid nova ")

    def test_an_account_that_was_made_but_stays_behind_the_name_service_is_a_failure(
        self, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        theirs = grp.struct_group(("nova", "x", 5001, []))
        monkeypatch.setattr(grp, "getgrnam", lambda name: theirs)
        with pytest.raises(CannotFix, match="must name files first"):
            Group("nova", preferred_gid=600, in_front=True).fix(None, FakeHost({"groupadd": ""}))

    def test_a_forced_id_that_is_taken_is_refused_by_the_name_that_has_it(self) -> None:
        with pytest.raises(CannotFix, match="account x must have id 0, which root has already"):
            User("x", "x", uid=0).fix(None, FakeHost())
        with pytest.raises(CannotFix, match="group x must have id 0, which root has already"):
            Group("x", gid=0).fix(None, FakeHost())

    def test_nobody_is_renumbered(self) -> None:
        item = User("keystone", "keystone", uid=163)
        with pytest.raises(CannotFix, match="account keystone exists already with uid 990, and 163 is wanted"):
            item.fix({**(item.expected() or {}), "uid": 990}, FakeHost())

    def test_an_account_of_a_name_service_is_left_alone(self) -> None:
        with pytest.raises(CannotFix, match="comes from a name service such as NIS or LDAP"):
            DECLARED.fix({**(DECLARED.expected() or {}), "source": FOREIGN, "shell": "/bin/sh"}, FakeHost())

    def test_only_what_differs_is_changed_and_groups_are_only_added(self) -> None:
        host = FakeHost({"usermod": ""})
        item = User("nova", "nova", groups=("libvirt", "qemu"), shell="/bin/sh")
        item.fix({**(item.expected() or {}), "shell": "/bin/false", "groups": ["libvirt"]}, host)
        assert host.ran == ["usermod --shell /bin/sh --append --groups qemu nova"]


def test_the_groups_of_an_account_include_its_primary_one() -> None:
    me = pwd.getpwuid(os.getuid())
    assert grp.getgrgid(me.pw_gid).gr_name in account._groups_of(me)
