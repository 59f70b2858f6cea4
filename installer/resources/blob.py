"""Content that the controller keeps under its sha256, checked on the host."""

from __future__ import annotations

import hashlib

from installer.agent.host import Host
from installer.resources.base import CannotFix


def content(sha256: str, host: Host, title: str = "content") -> bytes:
    """Return what the controller keeps under a sha256 (64 hex digits).

    Args:
        sha256: what is asked for.
        host: the host.
        title: what it is called when it is something else.

    Raises:
        CannotFix: what came is not what was asked for.
    """
    data = host.blob(sha256)
    found = hashlib.sha256(data).hexdigest()
    if found != sha256:
        raise CannotFix(
            f"{title} came with the sha256 {found}, and {sha256} was asked for: it was changed meanwhile on the "
            "machine that runs pystack; run the same command again"
        )
    return data
