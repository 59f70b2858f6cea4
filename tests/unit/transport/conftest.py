"""What the tests of the transport share."""

from __future__ import annotations

import os
import shutil
import socket
import subprocess
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from private_sshd import SSHD, Sshd, make_key


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
