from __future__ import annotations

import time
from pathlib import Path

import pytest

from installer.agent.host import CommandFailed, Host


def test_a_command_that_takes_too_long_is_ended_with_all_that_it_started() -> None:
    begun = time.monotonic()
    with pytest.raises(CommandFailed, match="did not end within"):
        # As rabbitmqctl does: a shell that waits for the program that does the work.
        Host().run(["sh", "-c", "echo begun; sleep 8 & wait"], timeout=0.5)
    assert time.monotonic() - begun < 5


def test_a_program_for_another_machine_is_told_as_such(tmp_path: Path) -> None:
    program = tmp_path / "uv"
    program.write_bytes(b"\x7fELF" + bytes(60))
    program.chmod(0o755)
    with pytest.raises(CommandFailed, match="cannot be started") as failed:
        Host().run([str(program)])
    assert "Exec format error" in failed.value.completed.err
