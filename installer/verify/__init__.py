"""Verification: the live cloud, looked at from outside as its users do."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator
from pathlib import Path

from installer.answers import Answers
from installer.outcome import Verdict
from installer.tls import Certificates
from installer.verify import identity


def verdicts(answers: Answers, certificates: Certificates) -> Iterator[Verdict]:
    """Yield what is found, one thing after another.

    Args:
        answers: the answer file: addresses and the admin's password.
        certificates: the CA that every endpoint must prove itself by.
    """
    with tempfile.TemporaryDirectory(prefix="pystack-verify-") as folder:
        authority = Path(folder) / "ca.crt"
        authority.write_text(certificates.ca_pem)
        yield from identity.verdicts(answers, authority)
