"""Inside an instance: reached by ssh over its floating address, looked at with testinfra."""

from __future__ import annotations

import contextlib
import errno
import io
import socket
import time
from dataclasses import dataclass
from typing import Any, cast

import paramiko
import testinfra.host
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from testinfra.backend.base import BaseBackend

from installer.errors import PystackError
from installer.transport import Connection
from installer.transport.ssh import SshConnection
from installer.verify.failing import CheckFailed
from installer.verify.live import Live

SSH = 22
#: Seconds for a connection to be taken, and for one command; a guest without KVM is slow.
CONNECT_SECONDS, COMMAND_SECONDS = 5.0, 180.0
#: Seconds without an answer from here until the way through the network host is tried, and between two such trials:
#: they are slow, and a guest that boots answers nobody.
DETOUR_AFTER, DETOUR_EVERY = 45.0, 30.0


@dataclass(frozen=True)
class Key:
    """A key to log in with: both halves as OpenSSH writes them."""

    private: str
    public: str

    @classmethod
    def make(cls) -> Key:
        """Return a new one."""
        key = Ed25519PrivateKey.generate()
        private = key.private_bytes(
            serialization.Encoding.PEM, serialization.PrivateFormat.OpenSSH, serialization.NoEncryption()
        )
        public = key.public_key().public_bytes(serialization.Encoding.OpenSSH, serialization.PublicFormat.OpenSSH)
        return cls(private.decode(), public.decode())


class _Anybody(paramiko.MissingHostKeyPolicy):
    """Takes any host key: one that an instance made a moment ago nobody can know, and it is sent no secret."""

    def missing_host_key(self, client: paramiko.SSHClient, hostname: str, key: paramiko.PKey) -> None:
        """Accept it."""


class Backend(BaseBackend):  # type: ignore[misc]  # testinfra has no type information
    """testinfra's way into an instance: an SSH session that stands already, each command with a deadline.

    Args:
        client: logged in.
        address: of the instance.
        sudo: whether commands become root by sudo.
    """

    NAME = "paramiko"

    def __init__(self, client: paramiko.SSHClient, address: str, sudo: bool) -> None:
        super().__init__(address, sudo=sudo)
        self._client = client
        self._encoding = "utf-8"

    def run(self, command: str, *args: str, **kwargs: Any) -> Any:
        """Run a shell command; raises OSError when it does not end in time."""
        line = self.get_command(command, *args)
        _, out, errors = self._client.exec_command(line, timeout=COMMAND_SECONDS)
        told, complaints = out.read(), errors.read()
        return self.result(out.channel.recv_exit_status(), line.encode(), told, complaints)


class Guest:
    """An instance from inside.

    Args:
        client: logged in.
        address: its floating address.
        user: who is logged in.
        way: how it was reached: empty for directly, else the host that the connection goes through.
        why_not_directly: what was in the way.
    """

    def __init__(
        self, client: paramiko.SSHClient, address: str, user: str, way: str = "", why_not_directly: str = ""
    ) -> None:
        self._client = client
        self.address = address
        self.user = user
        self.way = way
        self.why_not_directly = why_not_directly
        self.host = testinfra.host.Host(Backend(client, address, sudo=user != "root"))

    def do(self, command: str, *args: str) -> str:
        """Run a shell command as root and return what it printed.

        Args:
            command: with ``%s`` for each argument.

        Raises:
            CheckFailed: it failed, or the connection did.
        """
        try:
            done = self.host.run(command, *args)
        except (OSError, paramiko.SSHException, EOFError) as problem:
            said = str(problem) or "no answer in time"
            raise CheckFailed(f"in the instance at {self.address}: {command}: {said}") from None
        if done.rc:
            said = " ".join((done.stderr or done.stdout).split())[-300:]
            raise CheckFailed(f"in the instance at {self.address}: {command} ended with {done.rc}: {said}")
        return cast(str, done.stdout)

    def close(self) -> None:
        """Let go of it."""
        self._client.close()


class Doors:
    """The ways to floating addresses: from this machine, and through the network host.

    Args:
        live: says which host that is, and connects to it.
    """

    def __init__(self, live: Live) -> None:
        self._live = live
        self._host = next(iter(live.group("network")), "")
        self._through: Connection | None = None
        self._detour_at: dict[str, float] = {}
        self._detour_said = ""
        self._patience = DETOUR_AFTER

    def knock(self, address: str, user: str, key: Key) -> tuple[Guest | None, str]:
        """Try to log in once, and return the guest or why that did not work.

        Args:
            address: floating address.
            user: who to log in as.
            key: to log in with.
        """
        guest, why = self._directly(address, user, key)
        if guest or not why.startswith(_UNREACHED):
            return guest, why
        now = time.monotonic()
        if now < self._detour_at.setdefault(address, now + self._patience):
            return None, why + self._detour_said
        self._detour_at[address] = now + DETOUR_EVERY
        other, why_not = self._through_host(address, user, key, why)
        if other is None:
            self._detour_said = f"; {why_not}" if why_not else ""
            return None, why + self._detour_said
        # It may have come up between the two attempts.
        guest, why = self._directly(address, user, key)
        if guest is None:
            # The next instance will not be reached otherwise.
            self._patience = 0.0
            return other, ""
        other.close()
        return guest, ""

    def close(self) -> None:
        """Let go of the host between."""
        if self._through is not None:
            self._through.close()

    def _directly(self, address: str, user: str, key: Key) -> tuple[Guest | None, str]:
        try:
            link = socket.create_connection((address, SSH), timeout=CONNECT_SECONDS)
        except OSError as problem:
            if problem.errno == errno.ENETUNREACH:
                # No route: that does not change while the guest boots.
                self._patience = 0.0
            return None, f"{_UNREACHED}: {problem}"
        client, why = _log_in(link, address, user, key)
        return (Guest(client, address, user) if client else None), why

    def _through_host(self, address: str, user: str, key: Key, why_not: str) -> tuple[Guest | None, str]:
        try:
            if self._through is None and self._host:
                self._through = self._live.connect(self._host)
            if not isinstance(self._through, SshConnection):
                # The network host is this machine, or there is none.
                return None, ""
            link = self._through.open_to(address, SSH)
        except (paramiko.SSHException, OSError, EOFError, PystackError) as problem:
            return None, f"by way of {self._host}: {problem}"
        client, why = _log_in(link, address, user, key)
        if client is None:
            return None, f"by way of {self._host}: {why}"
        return Guest(client, address, user, self._host, why_not), ""


_UNREACHED = "ssh from here"


def _log_in(link: Any, address: str, user: str, key: Key) -> tuple[paramiko.SSHClient | None, str]:
    client = paramiko.SSHClient()
    client.set_missing_host_key_policy(_Anybody())
    try:
        client.connect(
            address,
            username=user,
            pkey=paramiko.Ed25519Key.from_private_key(io.StringIO(key.private)),
            sock=link,
            allow_agent=False,
            look_for_keys=False,
            timeout=CONNECT_SECONDS,
            banner_timeout=60,
            auth_timeout=60,
        )
    except paramiko.AuthenticationException:
        problem = f"{REFUSED} to {user}"
    except (paramiko.SSHException, OSError, EOFError) as fault:
        problem = f"the SSH server does not answer yet: {str(fault) or 'it ended the connection'}"
    else:
        return client, ""
    client.close()
    with contextlib.suppress(OSError):
        link.close()
    return None, problem


#: What is seen while the guest does not know the key.
REFUSED = "the key is refused"
