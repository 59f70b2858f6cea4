"""Connecting to a host: over SSH with its key verified, through jump hosts, or to this machine without SSH."""

from __future__ import annotations

import contextlib
import dataclasses
import threading
from collections.abc import Callable
from typing import Any

import paramiko

from installer.errors import HostUnreachable
from installer.transport import Connection, known_hosts, network, refusals
from installer.transport.auth import log_in
from installer.transport.known_hosts import Verdict
from installer.transport.local import LocalConnection
from installer.transport.login import Login
from installer.transport.pipelining import Transport
from installer.transport.settings import Hop, Settings, settings
from installer.transport.ssh import SshConnection


def connect(address: str, login: Login) -> Connection:
    """Return a connection to a host, logged in.

    Args:
        address: as written in the answer file: a name or an IP address.
        login: how to log in.

    Raises:
        HostUnreachable: it does not answer, its key is not trusted, or the login is refused.
    """
    how = settings(address, login)
    direct = not (how.jumps or how.proxy_command) and how.port == known_hosts.DEFAULT_PORT
    if direct and network.is_this_machine(how.hostname):
        return LocalConnection(address, login)
    return _open(how, login)


def _open(how: Settings, login: Login) -> SshConnection:
    jump = _jump(how, login) if how.jumps and not how.proxy_command else None
    try:
        transport = _transport(how, login, jump)
    except BaseException:
        if jump is not None:
            _JUMPS.leave(jump)
        raise
    leave = (lambda: _JUMPS.leave(jump)) if jump is not None else (lambda: None)
    return SshConnection(transport, how, login, leave)


def _transport(how: Settings, login: Login, jump: SshConnection | None) -> paramiko.Transport:
    where = refusals.at(how.hostname, how.port)
    name = known_hosts.lookup_name(how.key_name, how.port)
    known = known_hosts.about(how.known_hosts, [name])
    link, said = _link(how, jump)
    try:
        transport = Transport(link)
        options = transport.get_security_options()
        options.key_types = known_hosts.key_types(known, tuple(options.key_types))
        transport.banner_timeout = transport.handshake_timeout = transport.auth_timeout = how.timeout
        transport.start_client()
    except (paramiko.SSHException, EOFError, OSError) as problem:
        raise refusals.not_ssh(how.address, where, said() or str(problem) or "the host ended the connection") from None
    try:
        _check_key(transport.get_remote_server_key(), name, how, login)
        log_in(transport, how, login)
    except BaseException:
        transport.close()
        raise
    return transport


def _link(how: Settings, jump: SshConnection | None) -> tuple[Any, Callable[[], str]]:
    """Return what the SSH session runs over, and what is said there when it ends: a socket, a channel, a command."""
    if how.proxy_command:
        link, tail = network.through(how.proxy_command)

        def said() -> str:
            # Its last words may come after the end of the connection.
            tail.join(1.0)
            return tail.text().strip()

        return link, said
    try:
        if jump is not None:
            return jump.open_to(how.hostname, how.port), str
        return network.connect(how.address, how.hostname, how.port, how.timeout), str
    except (paramiko.SSHException, EOFError, OSError) as problem:
        raise refusals.through(how.address, how.jumps[-1].host, problem) from None


def _check_key(shown: paramiko.PKey, name: str, how: Settings, login: Login) -> None:
    kind, key = shown.get_name(), shown.asbytes()
    wanted = login.fingerprints.get(how.address)
    if wanted:
        if known_hosts.fingerprint(key) != wanted.rstrip("="):
            raise refusals.key_differs(how.address, kind, key, wanted)
        return
    agreed = login.agrees(
        f"{how.address} is not known yet. Its host key is {kind}\n  {known_hosts.fingerprint(key)}\n"
        "Is that the key of this host (see ssh-keygen -lf /etc/ssh/ssh_host_*_key.pub on its console)?",
        lambda: _must_ask(kind, key, name, how),
        lambda: _keep(kind, key, name, how),
    )
    if not agreed:
        raise refusals.key_unknown(how.address, name, kind, key, how.known_hosts)


def _keep(kind: str, key: bytes, name: str, how: Settings) -> None:
    # The operator's word counts even where it cannot be kept for the next time.
    with contextlib.suppress(OSError):
        known_hosts.append(how.remember_in, name, kind, key)


def _must_ask(kind: str, key: bytes, name: str, how: Settings) -> bool:
    """Return whether nothing is known of a host. Raises HostUnreachable when its key is the wrong one."""
    verdict, entry = known_hosts.judge(known_hosts.about(how.known_hosts, [name]), key)
    if entry is not None and verdict is Verdict.CHANGED:
        raise refusals.key_changed(how.address, name, kind, key, entry)
    if entry is not None and verdict is Verdict.REVOKED:
        raise refusals.key_revoked(how.address, kind, key, entry)
    return verdict is Verdict.UNKNOWN


class _Jumps:
    """Connections to jump hosts: one for all hosts behind it, which ends with the last of them."""

    def __init__(self) -> None:
        self._lock = threading.RLock()
        self._held: dict[object, SshConnection] = {}
        self._users: dict[object, int] = {}

    def take(self, key: object, make: Callable[[], SshConnection]) -> SshConnection:
        """Return the connection of this key, made the first time."""
        with self._lock:
            if key not in self._held or not self._held[key].is_alive():
                self._held[key] = make()
                self._users[self._held[key]] = 0
            self._users[self._held[key]] += 1
            return self._held[key]

    def leave(self, connection: SshConnection) -> None:
        """Say that one host less goes through it."""
        with self._lock:
            self._users[connection] -= 1
            if self._users[connection]:
                return
            del self._users[connection]
            self._held = {key: held for key, held in self._held.items() if held is not connection}
        connection.close()


_JUMPS = _Jumps()


def _jump(how: Settings, login: Login) -> SshConnection:
    """Return a connection to the last jump host before a host, taken once."""
    *before, hop = how.jumps
    try:
        own = settings(hop.host, login, hop)
        if before:
            own = _behind(own, tuple(before))
        return _JUMPS.take((id(login), *how.jumps), lambda: _open(own, login))
    except HostUnreachable as problem:
        raise HostUnreachable(
            how.address, f"{how.address}: by way of {hop.host}: {problem.message}", problem.remedy
        ) from None


def _behind(how: Settings, jumps: tuple[Hop, ...]) -> Settings:
    return dataclasses.replace(how, jumps=jumps, proxy_command=None)


__all__ = ["Login", "connect"]
