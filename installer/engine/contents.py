"""What the controller gives to agents that ask for content by its name."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Protocol


class Wheels(Protocol):
    """What the controller has of wheels for hosts; see ``installer.resources.wheels``."""

    def offer(self, name: str) -> bytes:
        """Return the answer to an agent that asks for a list of wheels; it may take as long as fetching them."""

    def path(self, sha256: str) -> Path | None:
        """Return the file of a wheel."""


class NoWheels:
    """Leaves every host to the package index it is configured for."""

    def offer(self, name: str) -> bytes:
        """Return that there is none."""
        return answer(None)

    def path(self, sha256: str) -> Path | None:
        """Return that there is none."""
        return None


def answer(files: list[tuple[str, str]] | None, refused: str = "") -> bytes:
    """Return what crosses to the agent.

    Args:
        files: names with their sha256; None leaves the host to its package index.
        refused: why it must not go on.
    """
    return json.dumps({"files": files, "refused": refused}).encode()
