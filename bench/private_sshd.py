"""One sshd of our own on this machine that answers on many addresses, each of which stands for a host."""

from __future__ import annotations

import contextlib
import os
import shutil
import socket
import subprocess
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

#: /root is hidden from logins, as what it has in its shell's start-up files would be part of every figure.
_START = 'mount --bind "$1" /root && exec "$2" -D -f "$3"'


@dataclass(frozen=True)
class Sshd:
    """A running sshd.

    Args:
        folder: its files.
        port: what it listens on.
        addresses: that it is reached at.
    """

    folder: Path
    port: int
    addresses: Sequence[str]

    @property
    def key(self) -> Path:
        """The private key that root logs in with."""
        return self.folder / "login"

    @property
    def known_hosts(self) -> Path:
        """A file with its host key under every address."""
        return self.folder / "known_hosts"


@contextlib.contextmanager
def running(folder: Path, count: int) -> Iterator[Sshd]:
    """Run an sshd on 127.0.0.2 and following.

    Args:
        folder: for its files; removed before and after.
        count: how many addresses.
    """
    shutil.rmtree(folder, ignore_errors=True)
    (folder / "home").mkdir(parents=True, mode=0o700)
    for name in ("host", "login"):
        subprocess.run(["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", folder / name], check=True)
    port = _free_port()
    addresses = [f"127.0.0.{number}" for number in range(2, 2 + count)]
    host_key = " ".join((folder / "host.pub").read_text().split()[:2])
    (folder / "known_hosts").write_text("".join(f"[{address}]:{port} {host_key}\n" for address in addresses))
    (folder / "config").write_text(
        f"Port {port}\nListenAddress 0.0.0.0\nHostKey {folder}/host\nPidFile none\nUsePAM no\nStrictModes no\n"
        f"AuthorizedKeysFile {folder}/login.pub\nPermitRootLogin prohibit-password\nPasswordAuthentication no\n"
        "MaxStartups 500\nMaxSessions 500\nUseDNS no\nLogLevel ERROR\nSubsystem sftp internal-sftp\n"
    )
    Path("/run/sshd").mkdir(mode=0o755, exist_ok=True)
    program = shutil.which("sshd", path=f"/usr/sbin:{os.environ['PATH']}") or "sshd"
    argv = ["unshare", "--mount", "sh", "-c", _START, "sh", folder / "home", program, folder / "config"]
    process = subprocess.Popen([str(word) for word in argv])
    try:
        _wait(port, process)
        yield Sshd(folder, port, addresses)
    finally:
        process.terminate()
        process.wait()
        shutil.rmtree(folder)


def _free_port() -> int:
    with socket.socket() as one:
        one.bind(("127.0.0.1", 0))
        return int(one.getsockname()[1])


def _wait(port: int, process: subprocess.Popen[bytes]) -> None:
    deadline = time.monotonic() + 10
    while process.poll() is None and time.monotonic() < deadline:
        with contextlib.suppress(OSError), socket.create_connection(("127.0.0.2", port), timeout=1):
            return
        time.sleep(0.05)
    raise SystemExit("the private sshd does not answer")
