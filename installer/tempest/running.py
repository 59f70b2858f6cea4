"""Runs Tempest as programs of its environment, and reads what they tell."""

from __future__ import annotations

import json
import os
import shutil
import signal
import subprocess
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from installer.tempest import ping, tally
from installer.verify.failing import CheckFailed

#: Run by Tempest's interpreter; pystack's own has none of what it imports.
SUBUNIT_LINES = Path(__file__).with_name("subunit_lines.py")
#: Seconds after which a single test is given up.
LONGEST_TEST = 1800
#: Seconds for finding all tests.
LONGEST_LISTING = 600
#: Seconds that Tempest has to end when it is told to.
GRACE = 10


class TempestBroken(CheckFailed):
    """Tempest itself did not work."""

    def __init__(self, found: str, remedy: str = "") -> None:
        super().__init__(found, "nothing is known of what it would find", remedy)


@dataclass(frozen=True)
class Tempest:
    """Tempest, ready to run.

    Args:
        programs: folder of its environment's programs.
        tools: folder of other programs that it calls; see ``provide_ping``.
        configuration: tempest.conf.
        authority: the CA certificate, as a PEM file.
        folder: where it is run, and leaves what it writes.
    """

    programs: Path
    tools: Path
    configuration: Path
    authority: Path
    folder: Path

    def smoke_tests(self) -> list[str]:
        """Return the names of all tests of the smoke set.

        Raises:
            TempestBroken: they cannot be listed, or there are none.
        """
        # Without a place for results Tempest lists nothing.
        self._told([str(self.programs / "stestr"), "init"])
        done = self._told(self._command("--list-tests"))
        found = tally.names(done.stdout.splitlines())
        if done.returncode or not found:
            self._keep("listing.txt", done.stdout + done.stderr)
            raise TempestBroken(
                f"Tempest cannot list its tests (code {done.returncode})", f"{self.folder}/listing.txt has what it says"
            )
        return found

    def run(self, workers: int) -> Iterator[Mapping[str, Any]]:
        """Run the smoke set, and yield each line of ``installer.tempest.subunit_lines`` as it comes.

        Tempest is ended when nobody wants more lines.

        Args:
            workers: how many tests may run at the same time.
        """
        with self._going(self._command("--subunit", f"--concurrency={workers}")) as lines:
            for line in lines:
                yield json.loads(line)

    @contextmanager
    def _going(self, command: list[str]) -> Iterator[Iterator[str]]:
        with (self.folder / "output.txt").open("wb") as output:
            os.chmod(output.name, 0o600)
            # A session of its own: Ctrl-C is for pystack, which ends Tempest and clears up after it.
            running = subprocess.Popen(
                command,
                cwd=self.folder,
                env=self._environment(),
                stdin=subprocess.DEVNULL,
                stdout=subprocess.PIPE,
                stderr=output,
                umask=0o077,
                start_new_session=True,
            )
            telling = subprocess.Popen(
                [str(self.programs / "python"), str(SUBUNIT_LINES)],
                stdin=running.stdout,
                stdout=subprocess.PIPE,
                stderr=output,
                text=True,
                start_new_session=True,
            )
            assert running.stdout is not None  # noqa: S101 - for mypy: it was asked for
            assert telling.stdout is not None  # noqa: S101
            running.stdout.close()
            try:
                yield iter(telling.stdout)
            finally:
                _end(running)
                telling.stdout.close()
                _end(telling)

    def _told(self, command: list[str]) -> subprocess.CompletedProcess[str]:
        """Return what a short command says; raises TempestBroken when it does not end."""
        try:
            return subprocess.run(
                command,
                cwd=self.folder,
                env=self._environment(),
                stdin=subprocess.DEVNULL,
                capture_output=True,
                text=True,
                umask=0o077,
                timeout=LONGEST_LISTING,
                check=False,
            )
        except subprocess.TimeoutExpired:
            raise TempestBroken(f"Tempest did not list its tests within {LONGEST_LISTING} s") from None

    def _command(self, *more: str) -> list[str]:
        return [str(self.programs / "tempest"), "run", "--config-file", str(self.configuration), "--smoke", *more]

    def _environment(self) -> dict[str, str]:
        return {
            **{name: value for name, value in os.environ.items() if not name.startswith(("OS_", "PYTHON", "CONFIG_"))},
            "PATH": f"{self.programs}:{self.tools}:{os.environ.get('PATH', os.defpath)}",
            # Python's own client, which looks at the dashboard, knows no other way to be told.
            "SSL_CERT_FILE": str(self.authority),
            "OS_TEST_TIMEOUT": str(LONGEST_TEST),
            # What tests log is in tempest.log already.
            "OS_LOG_CAPTURE": "0",
        }

    def _keep(self, name: str, text: str) -> None:
        path = self.folder / name
        path.touch(mode=0o600)
        path.write_text(text, encoding="utf-8", errors="backslashreplace")


def provide_ping(tools: Path, programs: Path) -> None:
    """Put a program ping into a folder, where this machine has none: Tempest pings instances.

    Args:
        tools: the folder.
        programs: of Tempest's environment; its interpreter runs the program.

    Raises:
        TempestBroken: this user may not send what ping sends.
    """
    if shutil.which("ping"):
        return
    try:
        ping.opened().close()
    except OSError:
        raise TempestBroken(
            "this machine has no program ping, and you may not do without it",
            "install it: iputils-ping on Debian and Ubuntu, iputils on Fedora and EL",
        ) from None
    path = tools / "ping"
    path.touch(mode=0o700)
    path.write_text(f"#!{programs / 'python'}\n{Path(ping.__file__).read_text(encoding='utf-8')}", encoding="utf-8")


def _end(process: subprocess.Popen[Any]) -> None:
    """End a process and all that it has started, and wait for it."""
    if process.poll() is None:
        with suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGTERM)
        with suppress(subprocess.TimeoutExpired):
            process.wait(GRACE)
    # Its workers may have outlived it.
    with suppress(ProcessLookupError):
        os.killpg(process.pid, signal.SIGKILL)
    process.wait()
