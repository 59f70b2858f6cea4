from __future__ import annotations

import os
import signal
import threading
import time
from typing import Any

import pytest

from installer import operation
from installer.answers import generate, load_text
from installer.errors import HostUnreachable
from installer.operation import Operation
from installer.transport.python import PythonMissing


class Nowhere:
    """A host without Python."""

    def __init__(self, address: str) -> None:
        self.address = address


@pytest.mark.parametrize(("limit", "given"), [((), {"192.0.2.10", "192.0.2.11"}), (("192.0.2.11",), {"192.0.2.11"})])
def test_only_hosts_that_may_be_changed_get_python(
    monkeypatch: pytest.MonkeyPatch, limit: tuple[str, ...], given: set[str]
) -> None:
    installed: set[str] = set()

    def ask(_self: Operation, connection: Any) -> dict[str, Any]:
        raise PythonMissing(connection.address)

    monkeypatch.setattr(Operation, "_ask", ask)
    monkeypatch.setattr(operation, "install_python", lambda connection: installed.add(connection.address))
    answers = load_text(generate(("192.0.2.10", "192.0.2.11")), "answers.txt")
    with pytest.raises(PythonMissing):
        Operation(
            answers,
            connect=Nowhere,
            listen=lambda event: None,
            limit=limit,
            may_change=True,  # type: ignore[arg-type]
        ).preflight()
    assert installed == given


@pytest.mark.parametrize(
    ("remedies", "message", "remedy"),
    [
        (("start it", "start it"), "a: down\nb: down", "start it"),
        (
            ("start it", "first\nthen"),
            "a: down\n  remedy: start it\nb: down\n  remedy: first\n          then",
            "do what these remedies say, then run the same command again",
        ),
    ],
)
def test_every_host_that_cannot_be_reached_is_told_with_its_remedy(
    remedies: tuple[str, str], message: str, remedy: str
) -> None:
    def connect(address: str) -> Any:
        raise HostUnreachable(address, f"{address}: down", remedies[address == "b"])

    answers = load_text(generate(("a", "b")), "answers.txt")
    with pytest.raises(HostUnreachable) as refused:
        Operation(answers, connect=connect, listen=lambda event: None).preflight()
    assert refused.value.message == message
    assert refused.value.remedy == remedy


def test_ctrl_c_does_not_wait_for_hosts_that_do_not_answer() -> None:
    answered = threading.Event()

    def connect(address: str) -> Any:
        threading.Timer(0.2, os.kill, [os.getpid(), signal.SIGINT]).start()
        answered.wait(20)
        raise HostUnreachable(address, "down")

    answers = load_text(generate(("a",)), "answers.txt")
    begun = time.monotonic()
    with (
        pytest.raises(KeyboardInterrupt),
        Operation(answers, connect=connect, listen=lambda event: None) as work,
    ):
        work.preflight()
    assert time.monotonic() - begun < 10
    answered.set()
