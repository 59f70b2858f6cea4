"""Private sshds on this machine, each with its own key, configuration and port."""

from __future__ import annotations

import os
import shutil
import socket
import subprocess
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import pytest
from installer.transport.login import Login

SSHD = shutil.which("sshd", path="/usr/sbin:/usr/bin")


@dataclass
class Sshd:
    """A running sshd."""

    folder: Path
    host: str
    port: int
    process: subprocess.Popen[bytes]

    @property
    def public_key(self) -> str:
        return " ".join((self.folder / "host.pub").read_text().split()[:2])

    @property
    def fingerprint(self) -> str:
        return subprocess.check_output(["ssh-keygen", "-lf", self.folder / "host.pub"], text=True).split()[1]

    @property
    def name(self) -> str:
        return f"[{self.host}]:{self.port}"

    def login(self, **changes: Any) -> Login:
        """Return a login that works, but for the changes."""
        known = self.folder / "known_hosts"
        known.write_text(f"{self.name} {self.public_key}\n")
        works = Login(
            user="root",
            port=self.port,
            private_key=(self.folder / "id",),
            known_hosts=(known,),
            ssh_config=(),
            timeout=5.0,
        )
        return replace(works, **changes)

    def sessions(self) -> list[int]:
        """Return the processes that serve connections."""
        children = Path(f"/proc/{self.process.pid}/task/{self.process.pid}/children").read_text()
        return [int(word) for word in children.split()]


def make_key(path: Path, kind: str = "ed25519", passphrase: str = "") -> Path:
    subprocess.run(["ssh-keygen", "-q", "-t", kind, "-N", passphrase, "-C", path.name, "-f", path], check=True)
    return path


@pytest.fixture(autouse=True)
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Keep the operator's own keys, agent and known_hosts out of the tests."""
    folder = tmp_path / "home"
    (folder / ".ssh").mkdir(parents=True, mode=0o700)
    monkeypatch.setenv("HOME", str(folder))
    monkeypatch.delenv("SSH_AUTH_SOCK", raising=False)
    return folder


@pytest.fixture(scope="module")
def start_sshd(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Callable[..., Sshd]]:
    if SSHD is None or os.geteuid() != 0:
        pytest.skip("needs root and openssh-server")
    Path("/run/sshd").mkdir(exist_ok=True)
    started: list[Sshd] = []

    def start(*options: str, host: str = "127.0.0.1", key: str = "ed25519") -> Sshd:
        folder = tmp_path_factory.mktemp("sshd")
        make_key(folder / "host", key)
        shutil.copy(make_key(folder / "id").with_suffix(".pub"), folder / "authorized_keys")
        with socket.socket(socket.AF_INET6 if ":" in host else socket.AF_INET) as free:
            free.bind((host, 0))
            port = free.getsockname()[1]
        settings = [
            *options,
            f"HostKey {folder}/host",
            f"AuthorizedKeysFile {folder}/authorized_keys",
            f"ListenAddress {host}",
            "PermitRootLogin yes",
            "StrictModes no",
            "UsePAM no",
            "PidFile none",
        ]
        (folder / "conf").write_text("\n".join(settings) + "\n")
        log = (folder / "log").open("wb")
        process = subprocess.Popen([SSHD, "-D", "-e", "-f", folder / "conf", "-p", str(port)], stderr=log)
        log.close()
        sshd = Sshd(folder, host, port, process)
        started.append(sshd)
        for _ in range(100):
            if "Server listening" in (folder / "log").read_text():
                return sshd
            time.sleep(0.05)
        raise AssertionError((folder / "log").read_text())

    yield start
    for sshd in started:
        sshd.process.terminate()
        sshd.process.wait()


@pytest.fixture(scope="module")
def sshd(start_sshd: Callable[..., Sshd]) -> Sshd:
    return start_sshd()
