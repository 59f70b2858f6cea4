from __future__ import annotations

import os
import signal
import threading
import time
from typing import Any

import pytest

from installer import operation
from installer.answers import generate, load_text
from installer.errors import HostUnreachable, PreflightRefused
from installer.operation import Operation
from installer.outcome import Finding
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


def looked_at(monkeypatch: pytest.MonkeyPatch, bundle: Any, **os_release: str) -> Operation:
    """Return an operation whose one host has told what it runs."""
    facts = {"os_release": os_release, "architecture": "x86_64"}
    monkeypatch.setattr(Operation, "_ask", lambda _self, _connection: {"facts": facts})
    monkeypatch.setattr(operation.account_checks, "numbered", lambda cloud, _roles, _reports: cloud)
    answers = load_text(generate(("192.0.2.10",)), "answers.txt")
    return Operation(answers, connect=Nowhere, listen=lambda event: None, bundle=bundle)  # type: ignore[arg-type]


class Bundle:
    """A bundle that has nothing."""

    def check(self, wanted: dict[str, Any], release: str) -> list[Finding]:
        return [Finding("bundle", "fail", f"{address} needs {len(items)}") for address, items in wanted.items()]


def test_a_bundle_is_held_against_what_each_host_needs(monkeypatch: pytest.MonkeyPatch) -> None:
    work = looked_at(monkeypatch, Bundle(), ID="debian", VERSION_ID="13")
    work.platforms()
    assert [finding.found for finding in work.check_bundle()] == ["192.0.2.10 needs 1"]


def test_of_a_host_that_is_of_no_platform_a_bundle_says_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    work = looked_at(monkeypatch, Bundle(), ID="plan9", VERSION_ID="4")
    work.platforms()
    assert work.check_bundle() == [], "that no platform fits is said by a check of its own"


def test_without_a_bundle_there_is_nothing_to_say_of_one(monkeypatch: pytest.MonkeyPatch) -> None:
    assert looked_at(monkeypatch, None, ID="debian", VERSION_ID="13").check_bundle() == []


def test_what_a_host_of_no_platform_needs_is_not_asked_for(monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(PreflightRefused, match="pystack does not install on what these hosts run"):
        looked_at(monkeypatch, None, ID="plan9", VERSION_ID="4").survey()
