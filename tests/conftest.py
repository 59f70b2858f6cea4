"""What all tests need of the process that runs them."""

from __future__ import annotations

import signal

import pytest


def pytest_addoption(parser: pytest.Parser) -> None:
    """Where lab tests are to run, and whether what they show is kept."""
    parser.addoption(
        "--platform", default="", help="of lab hosts of which a test does not say it itself; as lab-up takes it"
    )
    parser.addoption("--record", action="store_true", help="add what lab tests show to tests/matrix/results.jsonl")


def pytest_configure() -> None:
    """Let Ctrl-C be heard: a shell without job control lets what it starts in the background ignore it."""
    if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
        signal.signal(signal.SIGINT, signal.default_int_handler)
