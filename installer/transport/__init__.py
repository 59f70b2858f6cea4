"""How bytes get to a host and back: over SSH, or to this machine without it. Nothing above knows which."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol


class Stream(Protocol):
    """A command that runs on a host, with its standard streams."""

    def write(self, data: bytes) -> None:
        """Write all of ``data`` to its standard input. Raises wire.LinkLost when it is gone."""

    def flush(self) -> None:
        """Do nothing: writes are not held back."""

    def read(self, size: int) -> bytes:
        """Return up to ``size`` bytes of its standard output, waiting for at least one; nothing at the end."""

    def errors(self) -> str:
        """Return the last 4 KiB of its standard error so far."""

    def close(self) -> None:
        """Close its standard input and let go of it."""

    def exit_code(self, timeout: float) -> int | None:
        """Return its exit code, waiting up to ``timeout`` seconds; None if it has not ended by then."""


class Connection(Protocol):
    """A host that commands can be started on, as root."""

    address: str

    def start(self, argv: Sequence[str]) -> Stream:
        """Start a command as root."""

    def expect_silence(self, seconds: float) -> None:
        """Do not take the link for lost because the host is not heard within so many seconds from now."""

    def close(self) -> None:
        """Let go of the host."""
