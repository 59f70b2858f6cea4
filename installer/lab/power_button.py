"""Pressing the power button of a host that runs in User-mode Linux: its management console."""

from __future__ import annotations

import os
import socket
import struct
from pathlib import Path

from installer.lab.places import LabFailed

# arch/um/drivers/mconsole.h: magic, version, length, 512 bytes of text; the answer: error, more to come, length, text.
_MAGIC = 0xCAFEBABE
_VERSION = 2
_TEXT = 512
_REQUEST = struct.Struct(f"=III{_TEXT}s")
_ANSWER = struct.Struct("=III")
_SECONDS = 10


def press(folder: Path) -> None:
    """Send a kernel Ctrl-Alt-Del, which its host takes for the power button.

    Args:
        folder: where the kernel keeps its console's socket, ``mconsole``.

    Raises:
        LabFailed: when it does not answer, or refuses.
    """
    where = os.open(folder, os.O_PATH | os.O_DIRECTORY)
    try:
        with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as console:
            console.settimeout(_SECONDS)
            # An address that nobody else has: answers need one.
            console.bind("")
            # A socket's path has at most 107 characters; that of the folder may have more.
            console.sendto(request("cad"), f"/proc/self/fd/{where}/mconsole")
            refused, _, _ = _ANSWER.unpack_from(console.recv(_REQUEST.size))
    except OSError as error:
        raise LabFailed(f"the kernel in {folder} does not answer: {error}") from error
    finally:
        os.close(where)
    if refused:
        raise LabFailed(f"the kernel in {folder} does not understand Ctrl-Alt-Del")


def request(order: str) -> bytes:
    """Return what is sent to a kernel's management console to give it an order."""
    text = order.encode()
    return _REQUEST.pack(_MAGIC, _VERSION, len(text), text)
