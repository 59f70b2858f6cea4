"""The one raw command, run here with a package manager that only pretends."""

from __future__ import annotations

import os
import subprocess
import time
from pathlib import Path

import pytest

from installer.transport import python


@pytest.fixture
def apt(tmp_path: Path) -> Path:
    """A folder with an apt-get that talks, takes a second, talks again, and leaves a mark when it got to its end."""
    (tmp_path / "bin").mkdir()
    program = tmp_path / "bin" / "apt-get"
    program.write_text(
        f'#!/bin/sh\n[ "$1" = update ] && exit 0\necho "Unpacking python3"\nsleep 1\nseq 100000\necho "E: broken"\n'
        f"touch {tmp_path}/ended\nexit ${{CODE:-0}}\n"
    )
    program.chmod(0o755)
    for name in ("sh", "seq", "sleep", "touch", "mktemp", "tail", "rm", "cat"):
        (tmp_path / "bin" / name).symlink_to(f"/usr/bin/{name}")
    return tmp_path


def start(apt: Path, code: int = 0) -> subprocess.Popen[bytes]:
    return subprocess.Popen(
        ["/bin/sh", "-c", python._INSTALL],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        env={"PATH": f"{apt}/bin", "CODE": str(code), "TMPDIR": str(apt)},
    )


def test_a_lost_link_does_not_tear_the_transaction(apt: Path) -> None:
    process = start(apt)
    time.sleep(0.3)
    for stream in (process.stdin, process.stdout, process.stderr):
        assert stream is not None
        stream.close()
    os.kill(process.pid, 1)
    deadline = time.monotonic() + 10
    while not (apt / "ended").exists() and time.monotonic() < deadline:
        time.sleep(0.05)
    assert (apt / "ended").exists()
    process.wait(10)


def test_a_failure_is_told_with_its_last_lines_and_nothing_stays_behind(apt: Path) -> None:
    with start(apt, 100) as process:
        _, errors = process.communicate(timeout=20)
    assert errors.decode().splitlines()[-2:] == ["100000", "E: broken"]
    assert list(apt.glob("tmp.*")) == []


def test_its_code_comes_back(apt: Path) -> None:
    with start(apt, 100) as process:
        process.communicate(timeout=20)
        assert process.returncode == 100
