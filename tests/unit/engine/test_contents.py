"""Agents ask for contents by name; what takes long holds nobody else up."""

from __future__ import annotations

import io
import json
import queue
import threading
from pathlib import Path
from typing import Any

import pytest

from installer.agent import wire
from installer.engine import session as module
from installer.engine.session import AgentSession
from installer.errors import ResourceFailed
from installer.resources.wheels import LIST


class Agent:
    """A connection, its stream, and what would be the agent at the other end."""

    address = "192.0.2.1"

    def __init__(self) -> None:
        self._says: queue.Queue[bytes] = queue.Queue()
        self._unread = b""
        self._heard = io.BytesIO()
        self._news = threading.Condition()
        self._says.put(wire.READY)

    def start(self, argv: Any) -> Agent:
        return self

    def say(self, value: Any) -> None:
        self._says.put(wire.encode(value))

    def heard(self, number: int) -> list[Any]:
        """Return the frames of the controller, once there are so many."""
        with self._news:
            assert self._news.wait_for(lambda: len(self._frames()) >= number, 10)
            return self._frames()

    def _frames(self) -> list[Any]:
        data = io.BytesIO(self._heard.getvalue().partition(b"\n")[2])
        size = int(self._heard.getvalue().split(b"\n")[0].split()[1])
        data.seek(size)
        found = []
        try:
            while True:
                found.append(wire.read_frame(data.read))
        except wire.LinkLost:
            return found

    def write(self, data: bytes) -> None:
        with self._news:
            self._heard.write(data)
            self._news.notify_all()

    def flush(self) -> None:
        """Nothing is held back."""

    def read(self, size: int) -> bytes:
        if not self._unread:
            self._unread = self._says.get()
        part, self._unread = self._unread[:size], self._unread[size:]
        return part

    def errors(self) -> str:
        return ""

    def exit_code(self, timeout: float) -> int:
        return 0

    def close(self) -> None:
        self._says.put(b"")


class SlowWheels:
    """Has a list only when it is told to, and one wheel."""

    def __init__(self, wheel: Path) -> None:
        self.ready = threading.Event()
        self._wheel = wheel

    def offer(self, name: str) -> bytes:
        self.ready.wait(10)
        return json.dumps({"files": [["a.whl", "1"]]}).encode()

    def path(self, sha256: str) -> Path | None:
        return self._wheel if sha256 == "1" else None


def test_a_list_that_is_not_ready_holds_up_neither_contents_nor_events(tmp_path: Path) -> None:
    for name in ("wheel", "blob"):
        (tmp_path / name).write_text(name)
    agent, wheels, events = Agent(), SlowWheels(tmp_path / "wheel"), queue.Queue[dict[str, Any]]()
    session = AgentSession(agent, events.put, {"2": tmp_path / "blob"}, wheels)  # type: ignore[arg-type]
    agent.say({"need": f"{LIST}x"})
    agent.say({"need": "2"})
    agent.say({"event": "progress", "step": "s", "text": "at work"})
    assert events.get(timeout=10)["text"] == "at work"
    assert agent.heard(2) == [{"blob": "2"}, b"blob"]
    wheels.ready.set()
    assert agent.heard(4)[2:] == [{"blob": f"{LIST}x"}, b'{"files": [["a.whl", "1"]]}']
    agent.say({"need": "1"})
    assert agent.heard(6)[4:] == [{"blob": "1"}, b"wheel"]
    session.close()


def test_without_wheels_every_host_is_left_to_its_index(tmp_path: Path) -> None:
    agent = Agent()
    session = AgentSession(agent, lambda event: None, {})  # type: ignore[arg-type]
    agent.say({"need": f"{LIST}x"})
    (_, answer) = agent.heard(2)
    assert json.loads(answer) == {"files": None, "refused": ""}
    session.close()


def test_a_large_file_crosses_in_parts_and_other_messages_come_in_between(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "PART", 10)
    (tmp_path / "blob").write_bytes(b"0123456789" * 2 + b"end")
    agent = Agent()
    session = AgentSession(agent, lambda event: None, {"1": tmp_path / "blob"})  # type: ignore[arg-type]
    agent.say({"need": "1"})
    more = {"blob": "1", "more": True}
    assert agent.heard(6) == [more, b"0123456789", more, b"0123456789", {"blob": "1"}, b"end"]
    session.close()


@pytest.mark.parametrize("lost", ["unknown", "removed"])
def test_content_that_is_gone_meanwhile_is_named_and_is_no_fault_of_pystack(tmp_path: Path, lost: str) -> None:
    agent = Agent()
    session = AgentSession(agent, lambda event: None, {"removed": tmp_path / "gone"})  # type: ignore[arg-type]
    waiting = session.lock("me", "run", 1.0)
    agent.say({"need": lost})
    with pytest.raises(ResourceFailed, match=rf"192\.0\.2\.1: what the host needs cannot be sent.*: {lost}: "):
        waiting.result(10)
    session.close()
