"""Connects to hosts with what the answer file says, and asks on the terminal what only the operator knows."""

from __future__ import annotations

import getpass
import sys
from collections.abc import Callable
from pathlib import Path

from installer.answers import Answers
from installer.report import Composite
from installer.resources.secret import Secret
from installer.transport import Connection
from installer.transport.connect import connect
from installer.transport.login import Login


def connector(answers: Answers, report: Composite) -> Callable[[str], Connection]:
    """Return what connects to a host by its address.

    Args:
        answers: the answer file.
        report: it rests while a question is open.
    """
    login = login_of(answers, report)
    return lambda address: connect(address, login)


def login_of(answers: Answers, report: Composite) -> Login:
    """Return how to log in; there are questions only if standard input and error are a terminal."""
    on_terminal = sys.stdin.isatty() and sys.stderr.isatty()
    key = answers["CONFIG_SSH_KEY"]
    return Login(
        user=answers["CONFIG_SSH_USER"] or None,
        port=answers["CONFIG_SSH_PORT"],
        private_key=(private_key(Path(str(key))),) if key else (),
        fingerprints=dict(item.split("=", 1) for item in answers["CONFIG_SSH_HOST_KEYS"]),
        sudo_password=answers["CONFIG_SSH_SUDO_PASSWORD"] or None,
        ask=_asking(report) if on_terminal else None,
        confirm=_confirming(report) if on_terminal else None,
    )


def private_key(path: Path) -> Path:
    """Return the private key's file for that of either half of the key."""
    full = path.expanduser()
    return full.with_suffix("") if full.suffix == ".pub" else full


def _asking(report: Composite) -> Callable[[str], Secret]:
    def ask(prompt: str) -> Secret:
        with report.resting():
            return Secret(getpass.getpass(prompt, sys.stderr))

    return ask


def _confirming(report: Composite) -> Callable[[str], bool]:
    def confirm(question: str) -> bool:
        with report.resting():
            print(f"{question} [y/N] ", end="", file=sys.stderr, flush=True)
            return sys.stdin.readline().strip().lower() in ("y", "yes")

    return confirm
