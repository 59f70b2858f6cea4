"""This machine as a host, without SSH."""

from __future__ import annotations

import contextlib
import getpass
import os
import subprocess
from collections.abc import Callable, Sequence
from typing import BinaryIO, cast

from installer.agent.wire import LinkLost
from installer.transport import Stream
from installer.transport.login import Login
from installer.transport.privilege import Sudo, by_sudo
from installer.transport.tail import Tail


class LocalStream:
    """A command on this machine.

    Args:
        argv: program and arguments.
        watch: called with the standard error so far whenever there is more.
    """

    def __init__(self, argv: Sequence[str], watch: Callable[[str], None] | None = None) -> None:
        self._process = subprocess.Popen(
            argv,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            bufsize=0,
            cwd="/",
            # Ctrl-C on the terminal is for the controller alone: the agent ends what it has in hand.
            start_new_session=True,
        )
        self._in, self._out = cast(BinaryIO, self._process.stdin), cast(BinaryIO, self._process.stdout)
        errors = cast(BinaryIO, self._process.stderr)

        def reap() -> None:
            errors.close()
            self._process.wait()

        self._tail = Tail(errors.read, f"errors of {argv[0]}", watch, reap)

    def write(self, data: bytes) -> None:
        """Write all of ``data`` to its standard input."""
        view = memoryview(data)
        try:
            while view:
                view = view[self._in.write(view) or 0 :]
        except (OSError, ValueError) as problem:
            raise LinkLost(str(problem)) from None

    def flush(self) -> None:
        """Do nothing: writes are not held back."""

    def read(self, size: int) -> bytes:
        """Return up to ``size`` bytes of its standard output, waiting for at least one; nothing at the end."""
        try:
            return self._out.read(size)
        except ValueError:
            return b""

    def errors(self) -> str:
        """Return the last 4 KiB of its standard error so far."""
        return self._tail.text()

    def forget_errors(self) -> None:
        """Drop what came on standard error so far."""
        self._tail.forget()

    def end_input(self) -> None:
        """Close standard input alone."""
        with contextlib.suppress(OSError):
            self._in.close()

    def close(self) -> None:
        """Close its streams and let go of it; it may go on by itself."""
        self.end_input()
        self._out.close()

    def exit_code(self, timeout: float) -> int | None:
        """Return its exit code, waiting up to ``timeout`` seconds; None if it has not ended by then."""
        try:
            return self._process.wait(timeout)
        except subprocess.TimeoutExpired:
            return None


class LocalConnection:
    """This machine.

    Args:
        address: as written in the answer file.
        login: for sudo's password.
    """

    def __init__(self, address: str, login: Login) -> None:
        self.address = address
        self._login = login

    def start(self, argv: Sequence[str]) -> Stream:
        """Start a command as root.

        Raises:
            HostUnreachable: this user may not become root.
        """
        if os.geteuid() == 0:
            return LocalStream(argv)
        user = getpass.getuser()
        sudo = Sudo(
            self.address,
            user,
            lambda: self._login.sudo_password_of(user, self.address),
            self._login.timeout,
        )
        stream = LocalStream(by_sudo(argv), sudo.watch)
        sudo.wait(stream)
        return stream

    def expect_silence(self, seconds: float) -> None:
        """Do nothing: there is no link."""

    def close(self) -> None:
        """Do nothing: nothing is held."""
