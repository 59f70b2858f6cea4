"""Hosts over SSH with paramiko: one connection per host, commands as channels on it."""

from __future__ import annotations

import contextlib
import threading
import time
from collections.abc import Callable, Sequence

import paramiko

from installer.agent.wire import LinkLost
from installer.transport import Stream, network, pipelining, refusals
from installer.transport.login import Login
from installer.transport.privilege import Sudo, by_sudo, shell_line
from installer.transport.settings import Settings
from installer.transport.tail import Tail


class SshStream:
    """A command on a host, on a channel of its own.

    Args:
        channel: an open session channel.
        line: for the login shell.
        name: of the host.
        lost: says why the connection was lost, or nothing.
        watch: called with the standard error so far whenever there is more.
    """

    def __init__(
        self,
        channel: paramiko.Channel,
        line: str,
        name: str,
        lost: Callable[[], str],
        watch: Callable[[str], None] | None = None,
    ) -> None:
        self._channel = channel
        self._lost = lost
        pipelining.execute(channel, line)
        self._tail = Tail(channel.recv_stderr, f"errors of {name}", watch)

    def write(self, data: bytes) -> None:
        """Write all of ``data`` to its standard input."""
        try:
            self._channel.sendall(data)
        except OSError as problem:
            raise LinkLost(self._lost() or str(problem)) from None

    def flush(self) -> None:
        """Do nothing: writes are not held back."""

    def read(self, size: int) -> bytes:
        """Return up to ``size`` bytes of its standard output, waiting for at least one; nothing at the end."""
        return self._channel.recv(size)

    def errors(self) -> str:
        """Return the last 4 KiB of its standard error so far, and why the connection was lost if it was."""
        return "\n".join(filter(None, (self._tail.text().rstrip("\n"), self._lost())))

    def forget_errors(self) -> None:
        """Drop what came on standard error so far."""
        self._tail.forget()

    def end_input(self) -> None:
        """Close standard input alone."""
        with contextlib.suppress(OSError):
            self._channel.shutdown_write()

    def close(self) -> None:
        """Close its standard input and let go of it."""
        self.end_input()
        self._channel.close()

    def exit_code(self, timeout: float) -> int | None:
        """Return its exit code, waiting up to ``timeout`` seconds; None if it has not ended by then."""
        if not self._channel.status_event.wait(timeout):
            return None
        self._tail.join(timeout)
        code = self._channel.recv_exit_status()
        return code if code >= 0 else None


class SshConnection:
    """A host over SSH, logged in to.

    Args:
        transport: logged in.
        settings: how it was reached.
        login: for sudo's password.
        closed: called when the host is let go of.
    """

    def __init__(
        self,
        transport: paramiko.Transport,
        settings: Settings,
        login: Login,
        closed: Callable[[], None] = lambda: None,
    ) -> None:
        self.address = settings.address
        self._transport = transport
        self._settings = settings
        self._login = login
        self._on_close = closed
        self._closed = threading.Event()
        self._silent = False
        self._silence_until = 0.0
        self._watchdog = threading.Thread(target=self._keep_alive, name=f"keepalive {self.address}", daemon=True)
        self._watchdog.start()

    def start(self, argv: Sequence[str]) -> Stream:
        """Start a command as root.

        Raises:
            HostUnreachable: the link is gone, or this user may not become root.
        """
        user = self._settings.user
        if user == "root":
            return SshStream(self._channel(), shell_line(argv), self.address, self.why_lost)
        sudo = Sudo(
            self.address,
            user,
            lambda: self._login.sudo_password_of(user, self.address),
            self._settings.timeout,
        )
        line = shell_line(by_sudo(argv))
        stream = SshStream(self._channel(), line, self.address, self.why_lost, sudo.watch)
        sudo.wait(stream)
        return stream

    def open_to(self, hostname: str, port: int) -> paramiko.Channel:
        """Return a connection from this host to another one.

        Raises:
            paramiko.SSHException: the host does not forward it.
        """
        return self._transport.open_channel(
            "direct-tcpip", (hostname, port), ("127.0.0.1", 0), timeout=self._settings.timeout
        )

    def expect_silence(self, seconds: float) -> None:
        """Do not take the link for lost because the host is not heard within so many seconds from now."""
        self._silence_until = time.monotonic() + seconds
        network.keep_for(self._transport.sock, seconds)

    def is_alive(self) -> bool:
        """Return whether the link stands as far as is known."""
        return self._transport.is_active()

    def why_lost(self) -> str:
        """Return why the link was lost; nothing while it stands, or when it was closed on purpose."""
        if self._silent:
            waited = self._settings.alive_interval + self._settings.alive_wait
            return f"no sign of life from the host for {waited:.0f} s"
        problem = self._transport.saved_exception
        if self._transport.is_active() or self._closed.is_set() or problem is None:
            return ""
        return f"the connection ended: {str(problem) or 'by the host'}"

    def close(self) -> None:
        """Let go of the host."""
        if not self._closed.is_set():
            self._closed.set()
            self._transport.close()
            self._on_close()

    def _channel(self) -> paramiko.Channel:
        try:
            return self._transport.open_session(timeout=self._settings.timeout)
        except (paramiko.SSHException, EOFError, OSError) as problem:
            raise refusals.not_ssh(
                self.address,
                refusals.at(self._settings.hostname, self._settings.port),
                self.why_lost() or problem,
            ) from None

    def _keep_alive(self) -> None:
        """Ask the host for a sign of life now and then; paramiko's own keepalive does not wait for the answer."""
        while not self._closed.wait(self._settings.alive_interval) and self._transport.is_active():
            answered = threading.Event()
            threading.Thread(target=self._lose_patience, args=(answered,), daemon=True).start()
            try:
                self._transport.global_request("keepalive@openssh.com", wait=True)
            except (paramiko.SSHException, OSError, EOFError):
                return
            finally:
                answered.set()

    def _lose_patience(self, answered: threading.Event) -> None:
        asked = time.monotonic()
        while (patience := max(asked + self._settings.alive_wait, self._silence_until) - time.monotonic()) > 0:
            if answered.wait(patience):
                return
        self._silent = True
        self._transport.close()
