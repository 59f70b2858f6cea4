"""Frames between controller and agent: a kind byte, a length, a payload. Both sides use this module.

A frame is ``kind`` (1 byte: J JSON, Z zlib-compressed JSON, B binary), ``length`` (4 bytes, big-endian), payload.
"""

from __future__ import annotations

import json
import struct
import threading
import zlib
from typing import Any, BinaryIO, Callable, Union

from installer.resources.secret import Secret

#: What the agent prints before its first frame: everything before it (a login banner, say) is not ours.
READY = b"\x00pystack-agent\x00"
COMPRESS_ABOVE = 2048
LONGEST = 1 << 30

Message = Union[Any, bytes]
_HEADER = struct.Struct(">cI")


class LinkLost(Exception):
    """The other side is gone."""


def encode(value: Any) -> bytes:
    """Return a JSON-able value as one frame; ``Secret`` values cross as such."""
    payload = json.dumps(value, default=_encode_secret, separators=(",", ":")).encode()
    if len(payload) > COMPRESS_ABOVE:
        packed = zlib.compress(payload, 1)
        return _HEADER.pack(b"Z", len(packed)) + packed
    return _HEADER.pack(b"J", len(payload)) + payload


def encode_bytes(data: bytes) -> bytes:
    """Return binary content as one frame."""
    return _HEADER.pack(b"B", len(data)) + data


def read_frame(read: Callable[[int], bytes]) -> Message:
    """Return the next message: bytes for a binary frame, else the decoded value.

    Args:
        read: returns up to n bytes, and nothing at the end.

    Raises:
        LinkLost: the stream ended.
    """
    kind, length = _HEADER.unpack(read_exactly(read, _HEADER.size))
    if length > LONGEST:
        raise LinkLost(f"a frame of {length} bytes is not ours")
    payload = read_exactly(read, length)
    if kind == b"B":
        return payload
    if kind == b"Z":
        payload = zlib.decompress(payload)
    return json.loads(payload, object_hook=_decode_secret)


def read_exactly(read: Callable[[int], bytes], size: int) -> bytes:
    """Return exactly ``size`` bytes.

    Raises:
        LinkLost: the stream ended before.
    """
    chunks = []
    while size:
        try:
            chunk = read(min(size, 1 << 20))
        except OSError as problem:
            # A socket that is closed with something unread in it says so to the other end.
            raise LinkLost(str(problem)) from None
        if not chunk:
            raise LinkLost("the link ended")
        chunks.append(chunk)
        size -= len(chunk)
    return b"".join(chunks)


def skip_to_ready(read: Callable[[int], bytes], limit: int = 1 << 20) -> bytes:
    """Read up to and including the agent's first mark; return what came before it.

    Raises:
        LinkLost: the stream ended, or more than ``limit`` bytes came without the mark. Its text is what came.
    """
    seen = bytearray()
    while not seen.endswith(READY):
        byte = read(1)
        if not byte or len(seen) > limit:
            raise LinkLost(seen.decode("utf-8", "replace").strip())
        seen += byte
    return bytes(seen[: -len(READY)])


class Writer:
    """Writes frames from several threads, whole and one at a time.

    Args:
        stream: a binary stream.
    """

    def __init__(self, stream: BinaryIO) -> None:
        self._stream = stream
        self._lock = threading.Lock()

    def send(self, *values: Any) -> None:
        """Write values as consecutive frames, bytes as binary ones.

        Raises:
            LinkLost: the other side is gone.
        """
        data = b"".join(encode_bytes(value) if isinstance(value, bytes) else encode(value) for value in values)
        with self._lock:
            try:
                self._stream.write(data)
                self._stream.flush()
            except (OSError, EOFError, ValueError) as problem:
                # What lies under the stream says the same in several ways: a closed pipe, file or SSH channel.
                raise LinkLost(str(problem)) from None


def _encode_secret(value: Any) -> Any:
    if isinstance(value, Secret):
        return {"$secret": value.reveal()}
    raise TypeError(f"{type(value).__name__} does not cross the wire")


def _decode_secret(pairs: Any) -> Any:
    return Secret(pairs["$secret"]) if set(pairs) == {"$secret"} else pairs
