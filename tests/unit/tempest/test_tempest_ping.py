"""The ping for machines without one: its packets are those of RFC 792, and only the right answer counts."""

from __future__ import annotations

import shutil
import struct
import subprocess
import sys
from pathlib import Path

import pytest

from installer.tempest import ping, running


def checksum(packet: bytes) -> int:
    """Add up 16 bits at a time, carries at the end (RFC 1071)."""
    total = sum(struct.unpack(f"!{len(packet) // 2}H", packet))
    while total >> 16:
        total = (total & 0xFFFF) + (total >> 16)
    return total


@pytest.mark.parametrize("identifier", [0, 1, 0x7FFF, 0xF7FE, 0xFFFF])
def test_a_request_adds_up(identifier: int) -> None:
    packet = ping.request(identifier)
    assert checksum(packet) == 0xFFFF
    assert (packet[0], packet[1], int.from_bytes(packet[4:6], "big")) == (ping.ECHO, 0, identifier)


@pytest.mark.parametrize(
    ("kind", "answered", "counts"),
    [(ping.ECHO_REPLY, 7, True), (ping.ECHO_REPLY, 8, False), (ping.ECHO, 7, False), (3, 7, False)],
)
def test_only_the_answer_to_its_own_request_counts(kind: int, answered: int, counts: bool) -> None:
    header = bytes([0x46]) + bytes(23)
    packet = header + struct.pack("!BBHHH", kind, 0, 0, answered, 1)
    assert ping.is_answer(packet, raw=True, identifier=7) is counts


def test_a_ping_of_its_own_is_provided_only_where_there_is_none(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    programs = Path(sys.executable).parent
    monkeypatch.setattr(shutil, "which", lambda name: f"/bin/{name}")
    running.provide_ping(tmp_path, programs)
    assert list(tmp_path.iterdir()) == []
    monkeypatch.setattr(shutil, "which", lambda name: None)
    try:
        running.provide_ping(tmp_path, programs)
    except running.TempestBroken:
        pytest.skip("this user may not open a socket for ICMP")
    done = subprocess.run([tmp_path / "ping", "-c1", "-w1", "127.0.0.1"], capture_output=True, text=True, check=False)
    assert (done.returncode, done.stderr) == (0, "")


def test_a_user_who_may_not_send_it_is_told_to_install_ping(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def refused() -> None:
        raise PermissionError(1, "Operation not permitted")

    monkeypatch.setattr(shutil, "which", lambda name: None)
    monkeypatch.setattr(ping, "opened", refused)
    with pytest.raises(running.TempestBroken) as told:
        running.provide_ping(tmp_path, Path("/nowhere"))
    assert "iputils-ping" in told.value.remedy
