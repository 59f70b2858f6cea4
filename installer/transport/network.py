"""TCP connections to hosts, set so that a dead peer is noticed."""

from __future__ import annotations

import contextlib
import os
import signal
import socket
import subprocess
from typing import BinaryIO, cast

from installer.transport import refusals
from installer.transport.tail import Tail

#: Seconds of silence until the kernel asks the peer, between questions, and how many go unanswered: 45 s in all.
_IDLE, _INTERVAL, _COUNT = 15, 10, 3


def connect(address: str, hostname: str, port: int, timeout: float) -> socket.socket:
    """Return a TCP connection; tries all addresses of a name in turn.

    Args:
        address: of the host from the answer file, for the error.
        hostname: name or IP address to connect to.
        port: TCP port.
        timeout: seconds for each address.

    Raises:
        HostUnreachable: none answered.
    """
    where = refusals.at(hostname, port)
    try:
        found = socket.getaddrinfo(hostname, port, type=socket.SOCK_STREAM)
    except OSError as problem:
        raise refusals.network(address, where, problem, timeout) from None
    last: OSError = OSError(f"{hostname} has no address")
    for family, kind, protocol, _name, where_to in found:
        link = socket.socket(family, kind, protocol)
        try:
            link.settimeout(timeout)
            link.connect(where_to)
        except OSError as problem:
            link.close()
            last = problem
            continue
        _tune(link)
        return link
    raise refusals.network(address, where, last, timeout)


class _CommandLink(socket.socket):
    """A socket to a command, which ends with it: one that only waits for its other side would stay for ever."""

    def __init__(self, ours: socket.socket, process: subprocess.Popen[bytes]) -> None:
        super().__init__(ours.family, ours.type, ours.proto, fileno=ours.detach())
        self._process = process

    def close(self) -> None:
        super().close()
        with contextlib.suppress(ProcessLookupError):
            # Of a pystack that was started with nohup, its children take no notice of a hangup.
            os.killpg(self._process.pid, signal.SIGTERM)


def through(command: str) -> tuple[socket.socket, Tail]:
    """Return a connection over the standard streams of a command, and what it says of itself.

    Args:
        command: for the shell, as ProxyCommand gives it.
    """
    ours, theirs = socket.socketpair()
    process = subprocess.Popen(
        ["/bin/sh", "-c", f"exec {command}"],
        stdin=theirs.fileno(),
        stdout=theirs.fileno(),
        stderr=subprocess.PIPE,
        bufsize=0,
        start_new_session=True,
    )
    theirs.close()
    errors = cast(BinaryIO, process.stderr)

    def reap() -> None:
        errors.close()
        process.wait()

    return _CommandLink(ours, process), Tail(errors.read, "errors of ProxyCommand", at_end=reap)


def is_this_machine(hostname: str) -> bool:
    """Return whether a name or IP address is one of this machine's own."""
    try:
        found = socket.getaddrinfo(hostname, 9, type=socket.SOCK_DGRAM)
    except OSError:
        return False
    for family, kind, protocol, _name, where_to in found:
        with socket.socket(family, kind, protocol) as probe:
            try:
                # Connecting a UDP socket sends nothing: the kernel only chooses the source address, and to an
                # address of its own it speaks from that address.
                probe.connect(where_to)
            except OSError:
                continue
            if probe.getsockname()[0] == where_to[0]:
                return True
    return False


def _tune(link: socket.socket) -> None:
    link.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    link.setsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1)
    for option, value in (
        ("TCP_KEEPIDLE", _IDLE),
        ("TCP_KEEPINTVL", _INTERVAL),
        ("TCP_KEEPCNT", _COUNT),
    ):
        # Other systems than Linux lack some of them.
        if hasattr(socket, option):
            link.setsockopt(socket.IPPROTO_TCP, getattr(socket, option), value)
    keep_for(link, _IDLE + _INTERVAL * _COUNT)


def keep_for(link: object, seconds: float) -> None:
    """Have the kernel end a TCP connection only when its peer has acknowledged nothing for so many seconds (tcp(7))."""
    # Other systems than Linux have no such option; a link through a command, or through another host, is none of TCP.
    option = getattr(socket, "TCP_USER_TIMEOUT", None)
    if option is not None and isinstance(link, socket.socket) and link.family in (socket.AF_INET, socket.AF_INET6):
        link.setsockopt(socket.IPPROTO_TCP, option, round(1000 * seconds))
