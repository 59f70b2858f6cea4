"""What Tempest asks of the program ping, for machines without it: `ping -c1 -w1 ADDRESS`, exit code 0 for an answer."""

from __future__ import annotations

import os
import select
import socket
import struct
import sys
import time

#: RFC 792.
ECHO_REPLY, ECHO = 0, 8
#: Seconds to wait for the answer: what -w1 asks for.
PATIENCE = 1.0


def opened() -> socket.socket:
    """Return a socket for ICMP over IPv4; raises PermissionError for users whom this machine lets have none."""
    try:
        return socket.socket(socket.AF_INET, socket.SOCK_DGRAM, socket.IPPROTO_ICMP)
    except PermissionError:
        return socket.socket(socket.AF_INET, socket.SOCK_RAW, socket.IPPROTO_ICMP)


def request(identifier: int) -> bytes:
    """Return an echo request with its checksum."""
    words = (ECHO << 8, identifier, 1)
    total = sum(words)
    total = (total & 0xFFFF) + (total >> 16)
    return struct.pack("!4H", words[0], ~total & 0xFFFF, *words[1:])


def is_answer(packet: bytes, raw: bool, identifier: int) -> bool:
    """Tell whether a packet answers the request.

    Args:
        packet: as the socket gives it.
        raw: of a raw socket, which gives the IP header too, and what others are sent.
        identifier: of the request; for other sockets the kernel has replaced it and has checked the answer's.
    """
    message = packet[(packet[0] & 0x0F) * 4 :] if raw else packet
    kind, answered = message[0], int.from_bytes(message[4:6], "big")
    return kind == ECHO_REPLY and (not raw or answered == identifier)


def answers(address: str) -> bool:
    """Tell whether an IPv4 address answers an echo request within the time there is."""
    identifier = os.getpid() & 0xFFFF
    with opened() as link:
        raw = link.type == socket.SOCK_RAW
        link.connect((address, 0))
        link.send(request(identifier))
        deadline = time.monotonic() + PATIENCE
        while (left := deadline - time.monotonic()) > 0:
            if select.select([link], [], [], left)[0] and is_answer(link.recv(2048), raw, identifier):
                return True
    return False


def main() -> int:
    """Ping the last word of the command line; 0: it answers, 1: it does not, 2: nothing could be sent."""
    try:
        return 0 if answers(sys.argv[-1]) else 1
    except ConnectionError:
        return 1
    except OSError as problem:
        print(f"ping: {problem}", file=sys.stderr)
        return 2


if __name__ == "__main__":
    sys.exit(main())
