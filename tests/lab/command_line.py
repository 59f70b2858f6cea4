"""An operator with a home of their own, who runs pystack as a program and reads what it prints."""

from __future__ import annotations

import json
import os
import pty
import select
import shutil
import signal
import subprocess
import time
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[2]


@dataclass
class Result:
    """What a command printed, its exit code, and how long it took."""

    code: int
    out: str
    err: str
    seconds: float = 0.0

    @property
    def events(self) -> list[dict[str, Any]]:
        return [json.loads(line) for line in self.out.splitlines() if line.startswith("{")]

    def event(self, name: str) -> dict[str, Any]:
        return next(event for event in reversed(self.events) if event["event"] == name)


@dataclass
class Operator:
    """Runs pystack with HOME in a folder of its own.

    Args:
        home: the folder; ~/.ssh/config in it says how to log in.
        program: the launcher.
    """

    home: Path
    program: Path = ROOT / "pystack"
    environment: dict[str, str] = field(default_factory=dict)

    def env(self) -> dict[str, str]:
        kept = {key: value for key, value in os.environ.items() if not key.startswith(("XDG_", "CONFIG_"))}
        return {**kept, "HOME": str(self.home), **self.environment}

    def run(self, *words: str, timeout: float = 900) -> Result:
        """Run to the end, without a terminal."""
        begun = time.monotonic()
        done = subprocess.run(
            [str(self.program), *words],
            env=self.env(),
            capture_output=True,
            text=True,
            timeout=timeout,
            check=False,
            stdin=subprocess.DEVNULL,
            cwd=self.home,
        )
        return Result(done.returncode, done.stdout, done.stderr, time.monotonic() - begun)

    def start(self, *words: str) -> subprocess.Popen[bytes]:
        """Start, to be killed later."""
        return subprocess.Popen(
            [str(self.program), *words],
            env=self.env(),
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            stdin=subprocess.DEVNULL,
            cwd=self.home,
        )

    def on_terminal(self, *words: str, answers: dict[str, str], timeout: float = 900) -> Result:
        """Run on a terminal and type an answer (once each) when its prompt appears."""
        pid, terminal = pty.fork()
        if pid == 0:
            os.chdir(self.home)
            os.execve(str(self.program), [str(self.program), *words], {**self.env(), "TERM": "xterm", "COLUMNS": "100"})
        seen, open_answers, deadline = "", dict(answers), time.monotonic() + timeout
        while True:
            ready, _, _ = select.select([terminal], [], [], 1)
            if time.monotonic() > deadline:
                os.kill(pid, signal.SIGKILL)
                raise TimeoutError(seen[-2000:])
            if not ready:
                continue
            try:
                data = os.read(terminal, 65536)
            except OSError:
                break
            if not data:
                break
            seen += data.decode("utf-8", "replace")
            for prompt in [prompt for prompt in open_answers if prompt in seen]:
                os.write(terminal, open_answers.pop(prompt).encode() + b"\n")
        _, status = os.waitpid(pid, 0)
        return Result(os.waitstatus_to_exitcode(status), seen, "")


def with_ssh_config(home: Path, entries: dict[str, dict[str, str]]) -> Operator:
    """Return an operator whose ~/.ssh/config says how to log in to each address."""
    folder = home / ".ssh"
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    lines = []
    for address, settings in entries.items():
        lines += [f"Host {address}", *(f"  {key} {value}" for key, value in settings.items())]
    (folder / "config").write_text("\n".join(lines) + "\n")
    return Operator(home)


def copy_of_checkout(target: Path) -> Path:
    """Return a copy of what git tracks, as a fresh clone has it."""
    files = subprocess.check_output(["git", "-C", str(ROOT), "ls-files", "-z", "-co", "--exclude-standard"]).decode()
    for name in filter(None, files.split("\0")):
        if (ROOT / name).is_file():
            (target / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy2(ROOT / name, target / name)
    return target
