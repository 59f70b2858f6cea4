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


def test_a_command_is_ended_with_all_that_it_started_once_the_controller_is_gone() -> None:
    asked: list[float] = []

    def gone() -> bool:
        asked.append(time.monotonic())
        return len(asked) > 1

    begun = time.monotonic()
    with pytest.raises(CommandFailed, match=r"^sh was ended: the controller is gone$"):
        Host().run(["sh", "-c", "echo begun; sleep 20 & wait"], stopped=gone)
    assert time.monotonic() - begun < 10
    said = Host().run(["sh", "-c", "cat; sleep 1.5; echo more"], stdin="given\n", stopped=lambda: False).out
    assert said == "given\nmore\n", "one that is not ended loses nothing"
    with pytest.raises(CommandFailed, match="did not end within 0 s"):
        Host().run(["sleep", "20"], timeout=0.3, stopped=lambda: False)


def test_a_program_for_another_machine_is_told_as_such(tmp_path: Path) -> None:
    program = tmp_path / "uv"
    program.write_bytes(b"\x7fELF" + bytes(60))
    program.chmod(0o755)
    with pytest.raises(CommandFailed, match="cannot be started") as failed:
        Host().run([str(program)])
    assert "Exec format error" in failed.value.completed.err
