from __future__ import annotations

import os
from pathlib import Path
from types import SimpleNamespace

import pytest

from installer.agent import selinux
from tests.unit.resources.fake_host import FakeHost

CONFIG = "# SELINUX= can be: enforcing, permissive, disabled\nSELINUX={}\nSELINUXTYPE=targeted\n"


@pytest.mark.parametrize(
    ("config", "arguments", "found"),
    [
        (CONFIG.format("enforcing"), "root=/dev/vda ro", ("enforcing", "targeted")),
        (CONFIG.format("Permissive"), "ro", ("permissive", "targeted")),
        (CONFIG.format("disabled"), "enforcing=1", ("disabled", "targeted")),
        (CONFIG.format("enforcing"), "ro selinux=0 quiet", ("disabled", "targeted")),
        (CONFIG.format("enforcing"), "enforcing=0", ("permissive", "targeted")),
        (CONFIG.format("permissive"), "selinux=1 enforcing=1", ("enforcing", "targeted")),
        ("", "security=apparmor", ("absent", "")),
    ],
)
def test_the_state_after_the_next_boot_is_the_files_unless_the_kernel_is_told_otherwise(
    config: str, arguments: str, found: tuple[str, str]
) -> None:
    assert selinux.configured(config, arguments) == found


@pytest.mark.parametrize(("content", "mode"), [("1", "enforcing"), ("0", "permissive"), (None, "absent")])
def test_the_state_now_is_the_kernels(tmp_path: Path, content: str | None, mode: str) -> None:
    if content is not None:
        (tmp_path / "enforce").write_text(content)
    assert selinux.mode(str(tmp_path)) == mode


def test_in_a_container_that_sees_the_machines_policy_there_is_none(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    (tmp_path / "enforce").write_text("1")
    monkeypatch.setattr("os.statvfs", lambda path: SimpleNamespace(f_flag=os.ST_RDONLY))
    assert selinux.mode(str(tmp_path)) == "absent"


def test_folders_with_other_labels_than_the_policys_are_named() -> None:
    told = "Would relabel /opt from unconfined_u:object_r:default_t:s0 to system_u:object_r:usr_t:s0\n"
    assert selinux.unlabelled(FakeHost({"restorecon -n -v": told})) == ["/opt"]
    assert selinux.unlabelled(FakeHost({"restorecon": (127, "", "not found")})) == []
