"""What is seen of /dev/kvm, on this machine as it is and with devices that are none."""

from __future__ import annotations

import os

import pytest

from installer.agent import kvm

#: mov eax, 33; add eax, eax; hlt: nothing that an emulator does not know.
OLD_INSTRUCTIONS = bytes.fromhex("b821000000 01c0 f4")


def makes_machines() -> bool:
    return os.uname().machine == "x86_64" and os.access(kvm.DEVICE, os.R_OK | os.W_OK)


@pytest.mark.skipif(not makes_machines(), reason="this machine lets nobody make virtual machines")
def test_a_guest_of_old_instructions_runs_and_is_asked_for_its_result(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(kvm, "_CODE", OLD_INSTRUCTIONS)
    assert kvm.kvm()["works"] is True
    monkeypatch.setattr(kvm, "_RESULT", 67)
    assert kvm.kvm()["works"] is False


def test_looking_leaves_no_file_open() -> None:
    kvm.kvm()
    before = os.listdir("/proc/self/fd")
    kvm.kvm()
    assert os.listdir("/proc/self/fd") == before


@pytest.mark.parametrize(("device", "found"), [("/dev/null", "cannot be used"), ("/nowhere", "there is no /nowhere")])
def test_a_device_that_makes_no_machines_is_told_in_words(
    monkeypatch: pytest.MonkeyPatch, device: str, found: str
) -> None:
    monkeypatch.setattr(kvm, "DEVICE", device)
    seen = kvm.kvm()
    assert seen["works"] is False
    assert found in str(seen["found"])
