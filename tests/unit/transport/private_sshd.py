"""A private sshd on this machine, with its own key, configuration and port."""

from __future__ import annotations

import shutil
import subprocess
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

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
