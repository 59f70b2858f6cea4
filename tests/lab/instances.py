"""Instances of the demo user as its owner sees them: booted, reached at a floating address, asked by SSH, pinged."""

from __future__ import annotations

import os
import socket
import struct
import subprocess
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import openstack
from openstack.connection import Connection

BOOT_SECONDS = 300


@dataclass(frozen=True)
class Instance:
    """An instance that answers.

    Args:
        id: of the server.
        address: its floating address.
        key: the private key that logs in.
    """

    id: str
    address: str
    key: Path

    def run(self, command: str, timeout: float = 60) -> subprocess.CompletedProcess[str]:
        """Run a command in the instance, from outside."""
        return subprocess.run(self._ssh(command), capture_output=True, text=True, timeout=timeout, check=False)

    def send(self, content: bytes, path: str, timeout: float = 60) -> None:
        """Write a file in the instance, from outside; its folder is made."""
        command = f"mkdir -p $(dirname {path}) && cat >{path}"
        subprocess.run(self._ssh(command), input=content, capture_output=True, timeout=timeout, check=True)

    def _ssh(self, command: str) -> list[str]:
        options = ("StrictHostKeyChecking=no", "UserKnownHostsFile=/dev/null", "ConnectTimeout=5", "LogLevel=ERROR")
        words = [word for option in options for word in ("-o", option)]
        return ["ssh", "-F", "none", "-i", str(self.key), *words, f"root@{self.address}", command]

    def wait(self, seconds: float = BOOT_SECONDS) -> None:
        """Wait until its owner can log in."""
        deadline = time.monotonic() + seconds
        while (done := self.run("true")).returncode:
            assert time.monotonic() < deadline, f"nobody can log in to {self.address}: {done.stderr}"
            time.sleep(1)


@contextmanager
def connected(folder: Path, cloud: str = "pystack-demo") -> Iterator[Connection]:
    """Yield a client that uses the clouds.yaml of a folder."""
    region = openstack.config.OpenStackConfig(config_files=[str(folder / "clouds.yaml")]).get_one(cloud=cloud)
    with Connection(config=region) as connection:
        yield connection


@contextmanager
def booted(connection: Connection, folder: Path, name: str, **values: Any) -> Iterator[Instance]:
    """Yield an instance of the demo user that one can log in to, and remove it in the end.

    Args:
        connection: the demo user's.
        folder: where pystack keeps what the demo user logs in with.
        name: of the instance.
        values: more of what Nova is told; its disk is made from pystack's own image unless they name another.
    """
    network = connection.network.find_network("private", ignore_missing=False)
    if "block_device_mapping" not in values:
        values["image_id"] = connection.image.find_image("pystack-test", ignore_missing=False).id
    flavor = connection.compute.find_flavor("m1.tiny", ignore_missing=False)
    server = connection.compute.create_server(
        name=name,
        flavor_id=flavor.id,
        networks=[{"uuid": network.id}],
        key_name="demo",
        **values,
    )
    floating = None
    try:
        server = connection.compute.wait_for_server(server, wait=BOOT_SECONDS)
        port = next(iter(connection.network.ports(device_id=server.id)))
        public = connection.network.find_network("public", ignore_missing=False)
        floating = connection.network.create_ip(floating_network_id=public.id, port_id=port.id)
        instance = Instance(server.id, str(floating.floating_ip_address), folder / "demo_key")
        instance.wait()
        yield instance
    finally:
        if floating is not None:
            connection.network.delete_ip(floating)
        connection.compute.delete_server(server)
        connection.compute.wait_for_delete(server, wait=120)


class Pinger(threading.Thread):
    """Pings an address ten times a second until it is told to stop.

    Args:
        address: IPv4.
    """

    PAUSE, PATIENCE = 0.1, 5.0

    def __init__(self, address: str) -> None:
        super().__init__(daemon=True)
        self._address = address
        self._over = threading.Event()
        self._mark = os.getpid() & 0xFFFF
        self.sent: set[int] = set()
        self.answered: set[int] = set()

    def run(self) -> None:
        """Send and listen; answers that come late count as long as somebody listens."""
        with socket.socket(socket.AF_INET, socket.SOCK_RAW, socket.IPPROTO_ICMP) as link:
            link.settimeout(self.PAUSE)
            number, last = 0, 0.0
            while not self._over.is_set() or (self.sent - self.answered and time.monotonic() < last + self.PATIENCE):
                if not self._over.is_set() and time.monotonic() >= last + self.PAUSE:
                    number += 1
                    last = time.monotonic()
                    self.sent.add(number)
                    link.sendto(echo_request(self._mark, number), (self._address, 0))
                self._take(link)

    def _take(self, link: socket.socket) -> None:
        try:
            packet, (sender, _) = link.recvfrom(2048)
        except TimeoutError:
            return
        # RFC 792: the header of IP, here without options, then type 0 for the answer to an echo.
        kind, _, _, mark, number = struct.unpack("!BBHHH", packet[20:28])
        if (sender, kind, mark) == (self._address, 0, self._mark):
            self.answered.add(number)

    def stop(self) -> int:
        """Stop, and return how many of the pings were never answered."""
        self._over.set()
        self.join()
        return len(self.sent - self.answered)


def echo_request(mark: int, number: int) -> bytes:
    """Return an ICMP echo request with its checksum (RFC 792, RFC 1071)."""
    body = struct.pack("!BBHHH", 8, 0, 0, mark, number)
    total = sum(struct.unpack("!4H", body))
    total = (total & 0xFFFF) + (total >> 16)
    return struct.pack("!BBHHH", 8, 0, ~total & 0xFFFF, mark, number)
