"""Becoming root on a host: as root already, or by sudo, with a password only when sudo asks for one.

The password goes to sudo alone, on its standard input and after its prompt. Nothing else is written before the command
runs as root, so sudo cannot take anything else for a password.
"""

from __future__ import annotations

import shlex
import threading
from collections.abc import Callable, Sequence
from concurrent.futures import Future
from typing import Protocol

from installer.errors import HostUnreachable
from installer.resources.secret import Secret
from installer.transport import Stream, refusals

PROMPT = "pystack-asks-for-the-sudo-password:"
MARK = b"pystack-is-root\n"
_LONGEST_BANNER = 1 << 20
# What csh and fish do not take literally between single quotes.
_AWKWARD = set("\n!\\")


class RootStream(Stream, Protocol):
    """A stream on which sudo is talked to."""

    def end_input(self) -> None:
        """Close standard input alone."""

    def forget_errors(self) -> None:
        """Drop what came on standard error so far."""


def shell_line(argv: Sequence[str]) -> str:
    """Return a command line that any login shell (sh, bash, zsh, csh, fish) turns into this command."""
    script = "exec " + shlex.join(argv)
    if _AWKWARD.intersection(script):
        octal = "".join(f"\\{byte:03o}" for byte in script.encode())
        script = f'eval "$(printf "{octal}")"'
    return f"exec /bin/sh -c {shlex.quote(script)}"


def by_sudo(argv: Sequence[str]) -> list[str]:
    """Return the command that runs another one as root and marks where its output begins."""
    as_root = f'echo {MARK.decode().strip()}; exec "$@"'
    # Its messages are read: they must be in English.
    as_user = f'LC_ALL=C; export LC_ALL; exec sudo -S -p "$0" -- /bin/sh -c {shlex.quote(as_root)} sh "$@"'
    return ["/bin/sh", "-c", as_user, PROMPT, *argv]


class Sudo:
    """The conversation with sudo on one stream.

    Args:
        address: of the host, for the error.
        user: the account that becomes root.
        password: returns the password, asking for it if need be; None when there is none.
        timeout: seconds that sudo may take, besides the time the operator takes to type.
    """

    def __init__(self, address: str, user: str, password: Callable[[], Secret | None], timeout: float) -> None:
        self._address = address
        self._user = user
        self._password = password
        self._timeout = timeout
        self._opened: Future[RootStream] = Future()
        self._given = False
        self._asked = 0
        self._patience: threading.Timer | None = None

    def watch(self, errors: str) -> None:
        """Answer sudo's prompt the first time; the second time the password was wrong, and there is no other.

        Args:
            errors: what came on standard error so far.
        """
        prompts = errors.count(PROMPT)
        if prompts <= self._asked:
            return
        self._asked = prompts
        stream = self._opened.result()
        self._be_patient(for_ever=True)
        password = self._password() if prompts == 1 else None
        if password is None:
            stream.end_input()
            return
        self._given = True
        self._be_patient()
        stream.write(password.reveal().encode() + b"\n")

    def wait(self, stream: RootStream) -> None:
        """Return as soon as the command runs as root; what came on its streams before is dropped.

        Raises:
            HostUnreachable: sudo refused.
        """
        self._opened.set_result(stream)
        self._be_patient()
        seen = bytearray()
        try:
            while not seen.endswith(MARK):
                byte = stream.read(1)
                if not byte or len(seen) > _LONGEST_BANNER:
                    raise self._refusal(stream, bytes(seen))
                seen += byte
        finally:
            stream.forget_errors()
            self._be_patient(for_ever=True)

    def _be_patient(self, for_ever: bool = False) -> None:
        """Start waiting anew: when the time is over, sudo gets no more input, and gives up."""
        if self._patience is not None:
            self._patience.cancel()
        if not for_ever:
            self._patience = threading.Timer(self._timeout, self._opened.result().end_input)
            self._patience.daemon = True
            self._patience.start()

    def _refusal(self, stream: RootStream, seen: bytes) -> HostUnreachable:
        stream.exit_code(2.0)
        said = seen.decode("utf-8", "replace") + "\n" + stream.errors()
        stream.close()
        return refusals.sudo(self._address, self._user, said.replace(PROMPT, ""), self._asked > 0, self._given)
