"""The controller's sign of life, which a resource may ask for after it has changed the network."""

from __future__ import annotations

import socket
import threading
import time
from collections.abc import Iterator

import pytest

from installer.agent import wire
from installer.agent.host import Host
from installer.agent.main import Agent


class Controller:
    """The other end of an agent that runs in this process."""

    def __init__(self) -> None:
        self._link, self._agents_end = socket.socketpair()
        self._stream = self._agents_end.makefile("wb")
        agent = Agent(self._agents_end.recv, wire.Writer(self._stream))
        self.host: Host = agent._host("a step")
        self._thread = threading.Thread(target=agent.serve)
        self._thread.start()

    def answer(self) -> None:
        """Wait until the agent asks, and answer."""
        assert wire.read_frame(self._link.recv) == {"echo": True}
        self._link.sendall(wire.encode({"do": "echo", "id": 0}))

    def hears(self) -> object:
        """Return the next message of the agent."""
        return wire.read_frame(self._link.recv)

    def leave(self) -> None:
        """Close the link to the agent, and wait for its end."""
        self._link.close()
        self._thread.join(timeout=5)
        assert not self._thread.is_alive()
        self._stream.close()
        self._agents_end.close()


@pytest.fixture
def controller() -> Iterator[Controller]:
    made = Controller()
    yield made
    made.leave()


def test_a_controller_that_answers_is_heard(controller: Controller) -> None:
    for _ in range(2):
        answering = threading.Thread(target=controller.answer)
        answering.start()
        assert controller.host.controller_answers(5)
        answering.join()


def test_a_silence_is_announced_to_the_controller_in_seconds(controller: Controller) -> None:
    controller.host.announce_silence(90)
    assert controller.hears() == {"silence": 90}
    Host().announce_silence(90)


def test_a_silent_controller_is_not_waited_for_longer_than_asked(controller: Controller) -> None:
    assert not controller.host.controller_answers(0.05)


def test_a_controller_that_is_gone_is_not_waited_for(controller: Controller) -> None:
    begun = time.monotonic()
    threading.Timer(0.1, controller.leave).start()
    assert not controller.host.controller_answers(30)
    assert time.monotonic() - begun < 10


def test_a_host_without_a_controller_has_nobody_to_ask() -> None:
    with pytest.raises(RuntimeError, match="no controller"):
        Host().controller_answers(1)
