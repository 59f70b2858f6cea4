"""Labels of files, where a policy says what they are; libselinux itself is there on real hosts only."""

from __future__ import annotations

import errno
import os
from pathlib import Path
from typing import Any

import pytest

from installer.agent import selinux
from installer.resources import label
from installer.resources.base import differs
from installer.resources.file import Directory, write_atomically
from installer.resources.label import Label, set_label
from tests.unit.resources.fake_host import FakeHost

WANTED = "system_u:object_r:mount_loopback_t:s0"


class Labels(dict[str, str]):
    """The labels of files, by their path."""

    def get_label(self, path: str, name: str, follow_symlinks: bool) -> bytes:
        os.lstat(path)
        if self.get(str(path)) == "unsupported":
            raise OSError(errno.ENOTSUP, "no labels here")
        if str(path) not in self:
            raise OSError(errno.ENODATA, "none")
        return f"{self[str(path)]}\0".encode()

    def set_label(self, path: str, name: str, value: bytes, follow_symlinks: bool) -> None:
        if "unsupported" in self.values():
            raise OSError(errno.ENOTSUP, "no labels here")
        self[str(path)] = value.decode().rstrip("\0")


@pytest.fixture
def labels(monkeypatch: pytest.MonkeyPatch) -> Labels:
    """Labels of a host whose policy says the same of every path."""
    found = Labels()
    monkeypatch.setattr(selinux, "mode", lambda: "enforcing")
    monkeypatch.setattr(label.POLICY, "label_of", lambda path: WANTED)
    monkeypatch.setattr(os, "getxattr", found.get_label)
    monkeypatch.setattr(os, "setxattr", found.set_label)
    return found


def state(path: Path) -> Any:
    return Label.query([Label(str(path))], FakeHost())[f"label:{path}"]


def test_a_file_of_another_type_or_of_none_gets_that_of_the_policy(labels: Labels, tmp_path: Path) -> None:
    file = tmp_path / "a.img"
    assert state(file) is None
    file.touch()
    for before in (None, "unconfined_u:object_r:var_lib_t:s0"):
        labels.pop(str(file), None)
        labels.update({str(file): before} if before else {})
        assert differs(Label(str(file)), state(file))
        Label(str(file)).fix(state(file), FakeHost())
        assert labels[str(file)] == WANTED
        assert not differs(Label(str(file)), state(file))


def test_the_same_type_of_another_user_stays(labels: Labels, tmp_path: Path) -> None:
    labels[str(tmp_path)] = "unconfined_u:object_r:mount_loopback_t:s0"
    set_label(str(tmp_path))
    assert labels[str(tmp_path)].startswith("unconfined_u")


def test_a_file_system_without_labels_is_in_nobodys_way(labels: Labels, tmp_path: Path) -> None:
    labels[str(tmp_path)] = "unsupported"
    set_label(str(tmp_path))
    assert not differs(Label(str(tmp_path)), state(tmp_path))
    Directory(str(tmp_path / "new"), mode=0o700).fix(None, FakeHost())


def test_a_new_file_has_its_label_before_it_takes_its_place(labels: Labels, tmp_path: Path) -> None:
    write_atomically(str(tmp_path / "a"), b"", "root", "root", 0o644)
    (labelled,) = labels
    assert labelled.endswith(".pystack-new")


def test_where_selinux_is_off_nothing_is_asked(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr(selinux, "mode", lambda: "absent")
    monkeypatch.setattr(label.POLICY, "label_of", lambda path: pytest.fail("asked"))
    set_label(str(tmp_path))
    assert label.wanted_label(str(tmp_path)) is None
