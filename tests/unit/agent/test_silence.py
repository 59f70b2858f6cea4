"""A link can be gone without either end being told: then the agent must not hold its host for hours."""

from __future__ import annotations

import io
import os
import threading
import time
from typing import Any

import pytest

from installer.agent import main, wire
from installer.engine import session
from installer.engine.session import AgentSession


def test_a_controller_that_keeps_silent_for_too_long_counts_as_gone() -> None:
    ours, theirs = os.pipe()
    with open(ours, "rb"), open(theirs, "wb"):
        begun = time.monotonic()
        main.Agent(main.reader_of(ours, silence=0.3), wire.Writer(io.BytesIO())).serve()
        assert 0.2 < time.monotonic() - begun < 5


def test_signs_of_life_keep_the_agent_waiting() -> None:
    ours, theirs = os.pipe()
    agent = main.Agent(main.reader_of(ours, silence=0.6), wire.Writer(io.BytesIO()))
    serving = threading.Thread(target=agent.serve)
    with open(ours, "rb"):
        with open(theirs, "wb", buffering=0) as controller:
            serving.start()
            for _ in range(5):
                time.sleep(0.2)
                controller.write(wire.encode({"do": "stay"}))
            assert serving.is_alive()
        serving.join(5)
    assert not serving.is_alive()


class Recorder:
    """A connection and its stream: keeps what is written, and says nothing until it is closed."""

    address = "192.0.2.1"

    def __init__(self) -> None:
        self.written = b""
        self.closed = threading.Event()

    def start(self, argv: Any) -> Recorder:
        return self

    def write(self, data: bytes) -> None:
        if self.closed.is_set():
            raise wire.LinkLost("closed")
        self.written += data

    def flush(self) -> None:
        """Nothing is held back."""

    def read(self, size: int) -> bytes:
        self.closed.wait()
        return b""

    def errors(self) -> str:
        return ""

    def exit_code(self, timeout: float) -> int:
        return 0

    def close(self) -> None:
        self.closed.set()


def test_the_controller_gives_signs_of_life_until_the_session_ends(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(session, "SIGN_OF_LIFE", 0.05)
    link = Recorder()
    agent = AgentSession(link, lambda event: None, {})
    time.sleep(0.3)
    assert link.written.count(wire.encode({"do": "stay"})) >= 3
    agent.close()
    time.sleep(0.15)
    assert not [thread for thread in threading.enumerate() if thread.name == f"signs of life {link.address}"]


def test_several_signs_of_life_fit_into_the_agents_patience() -> None:
    assert session.SIGN_OF_LIFE * 3 < main.SILENCE
