"""Verification: the live cloud, looked at from outside as its users do."""

from __future__ import annotations

import tempfile
from collections.abc import Callable, Sequence
from pathlib import Path

from installer.answers import Answers
from installer.cloud import CloudHost
from installer.outcome import Listener, Verdict
from installer.tls import Certificates
from installer.transport import Connection
from installer.verify.checks import CHECKS, Check, chosen

__all__ = ["CHECKS", "Check", "chosen", "look"]


def look(
    answers: Answers,
    hosts: Sequence[CloudHost],
    certificates: Certificates,
    *,
    checks: Sequence[Check],
    keep: bool,
    connect: Callable[[str], Connection],
    listen: Listener,
    folder: Path,
    records: Path,
    asks_index: bool = True,
) -> list[Verdict]:
    """Look at the cloud and return what was found; each verdict is an event as well.

    Args:
        answers: the answer file: addresses, passwords, and what is installed at all.
        hosts: its hosts.
        certificates: the CA that every endpoint must prove itself by.
        checks: what to look at.
        keep: leave what was made in the cloud.
        connect: returns a connection to a host by its address; for instances that are not reached from here.
        listen: takes every event.
        folder: where what is kept for the operator goes.
        records: where what tells more of this run goes.
        asks_index: whether a package index may be asked.
    """
    # The clients of the cloud take a while to import; the names of the checks must not wait for them.
    from installer.verify.live import Live
    from installer.verify.looking import Looking

    with tempfile.TemporaryDirectory(prefix="pystack-verify-") as own:
        authority = Path(own) / "ca.crt"
        authority.write_text(certificates.ca_pem)
        return Looking(
            Live(answers, hosts, authority, connect, listen, folder, records, asks_index), checks, keep
        ).run()
