"""Modules of the kernel, now and at boot."""

from __future__ import annotations

from pathlib import Path

import pytest

from installer.resources import kernel_module
from installer.resources.base import CannotFix, differs
from installer.resources.kernel_module import KernelModule
from tests.unit.resources.fake_host import FakeHost

MODULE = KernelModule("iscsi_tcp")


@pytest.fixture
def host(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setattr(kernel_module, "LOADED", str(tmp_path / "loaded"))
    monkeypatch.setattr(kernel_module, "AT_BOOT", str(tmp_path / "boot"))
    return tmp_path


def test_it_is_loaded_now_and_listed_for_the_next_boot(host: Path) -> None:
    assert MODULE.query([MODULE], FakeHost())[MODULE.id] == {"loaded": "no", "at boot": "no"}
    MODULE.fix(None, FakeHost({"modprobe -- iscsi_tcp": ""}))
    assert MODULE.query([MODULE], FakeHost())[MODULE.id] == {"loaded": "no", "at boot": "yes"}
    (host / "loaded/iscsi_tcp").mkdir(parents=True)
    assert not differs(MODULE, MODULE.query([MODULE], FakeHost())[MODULE.id])


def test_a_kernel_without_it_is_named_with_what_helps(host: Path) -> None:
    with pytest.raises(CannotFix, match="has no module iscsi_tcp that can be loaded: not found; install"):
        MODULE.fix(None, FakeHost({"modprobe": (1, "", "not found")}))
