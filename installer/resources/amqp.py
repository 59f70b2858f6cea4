"""A login to an AMQP 0-9-1 server, byte by byte: what it takes to know whether an account works, and no more.

Source: the specification's grammar (https://www.rabbitmq.com/resources/specs/amqp0-9-1.pdf, chapters 2.3 and 4.2).
"""

from __future__ import annotations

import socket
import ssl
import struct
from typing import Callable, NamedTuple, Optional, Tuple

PROTOCOL = b"AMQP\x00\x00\x09\x01"
METHOD_FRAME = 1
FRAME_END = b"\xce"
#: No frame of a login is longer; a longer one is not AMQP.
LONGEST = 1 << 20

# Methods as (class, method).
START, START_OK = (10, 10), (10, 11)
TUNE, TUNE_OK = (10, 30), (10, 31)
OPEN, OPEN_OK = (10, 40), (10, 41)
CLOSE = (10, 50)


class Method(NamedTuple):
    """One method as it stands in a frame: (class, method), and its arguments' bytes."""

    id: Tuple[int, int]
    arguments: bytes


class Refused(Exception):
    """The server closed the connection on purpose.

    Args:
        code: AMQP's reply code, such as 403 for a wrong password and 530 for a virtual host without permission.
        text: the server's own words.
    """

    def __init__(self, code: int, text: str) -> None:
        super().__init__(f"{code} {text}")
        self.code = code
        self.text = text


class NotAmqp(Exception):
    """What answered does not speak AMQP 0-9-1, or went away in the middle."""


def short(text: str) -> bytes:
    """Return a short string: one byte of length.

    Raises:
        ValueError: longer than 255 bytes.
    """
    data = text.encode()
    if len(data) > 255:
        raise ValueError(f"{len(data)} bytes do not fit into an AMQP name")
    return bytes([len(data)]) + data


def long(data: bytes) -> bytes:
    """Return a long string: four bytes of length."""
    return struct.pack(">I", len(data)) + data


def frame(method: Method) -> bytes:
    """Return a method as a frame on channel 0."""
    payload = struct.pack(">HH", *method.id) + method.arguments
    return struct.pack(">BHI", METHOD_FRAME, 0, len(payload)) + payload + FRAME_END


def read_method(read: Callable[[int], bytes]) -> Method:
    """Return the next method.

    Args:
        read: returns exactly n bytes, or fewer at the end of the stream.

    Raises:
        NotAmqp: the stream ended, or it is not AMQP.
    """
    head = read(7)
    if len(head) < 7:
        raise NotAmqp("the connection was closed without a word")
    if head[:4] == PROTOCOL[:4]:
        raise NotAmqp("the server speaks another version of AMQP")
    kind, _, size = struct.unpack(">BHI", head)
    if kind != METHOD_FRAME or size > LONGEST or size < 4:
        raise NotAmqp("what answers is not an AMQP server")
    payload = read(size + 1)
    if len(payload) != size + 1 or payload[-1:] != FRAME_END:
        raise NotAmqp("a frame was cut off")
    numbers = struct.unpack(">HH", payload[:4])
    return Method((numbers[0], numbers[1]), payload[4:-1])


def start_ok(user: str, password: str) -> Method:
    """Return the login: PLAIN, and the wish to be told of a refusal instead of a silent close."""
    capability = short("authentication_failure_close") + b"t\x01"
    properties = short("capabilities") + b"F" + long(capability)
    response = b"\0" + user.encode() + b"\0" + password.encode()
    return Method(START_OK, long(properties) + short("PLAIN") + long(response) + short("en_US"))


def refusal(method: Method) -> Refused:
    """Return what a close method says."""
    (code,) = struct.unpack(">H", method.arguments[:2])
    size = method.arguments[2]
    return Refused(code, method.arguments[3 : 3 + size].decode("utf-8", "replace"))


def login(stream: socket.socket, user: str, password: str, vhost: str) -> None:
    """Log in and open a virtual host.

    Raises:
        Refused: the server does not want this account, or not on this virtual host.
        NotAmqp: something else answers.
        OSError: the connection broke.
    """
    reader = stream.makefile("rb")

    def expect(wanted: Tuple[int, int]) -> Method:
        method = read_method(reader.read)
        if method.id == CLOSE:
            raise refusal(method)
        if method.id != wanted:
            raise NotAmqp(f"method {method.id} instead of {wanted}")
        return method

    stream.sendall(PROTOCOL)
    expect(START)
    stream.sendall(frame(start_ok(user, password)))
    tune = expect(TUNE)
    stream.sendall(frame(Method(TUNE_OK, tune.arguments)) + frame(Method(OPEN, short(vhost) + short("") + b"\0")))
    expect(OPEN_OK)


def connect(host: str, port: int, ca_file: Optional[str], timeout: float) -> socket.socket:
    """Return a connection, over TLS when a CA file is given.

    Raises:
        OSError: refused, unreachable, timed out, or a certificate that the CA did not sign.
    """
    stream = socket.create_connection((host, port), timeout=timeout)
    if ca_file is None:
        return stream
    return ssl.create_default_context(cafile=ca_file).wrap_socket(stream, server_hostname=host)
