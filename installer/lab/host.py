"""One lab host: its state on disk, and what can be done with it."""

from __future__ import annotations

import shlex
import subprocess
import time
from collections.abc import Sequence
from dataclasses import asdict, dataclass, field, fields
from pathlib import Path

from installer.lab import bases, kinds, network, places
from installer.lab.places import LabFailed, LabRefused, host_folder, lock, read_state, write_state
from installer.lab.runner import Runner, Wish

_DEAD_SECONDS = 3


@dataclass(frozen=True)
class LabHost:
    """A throw-away host.

    Args:
        name: its short name.
        platform: such as ``debian-13``.
        address: its IPv4 address.
        user: who logs in with the lab's key.
        image: its base image.
        host_key: the public key that it is known by, ``ssh-ed25519 AAAA…``.
        wish: what else it was asked to have.
    """

    name: str
    platform: str
    address: str
    user: str
    image: str
    host_key: str
    wish: Wish = field(default_factory=Wish)

    @property
    def folder(self) -> Path:
        """Where this machine keeps the host."""
        return host_folder(self.name)

    @property
    def private_key(self) -> Path:
        """The private key that logs in to every lab host."""
        return places.LAB / "id_ed25519"

    @property
    def known_hosts(self) -> Path:
        """The known_hosts file with the keys of all lab hosts."""
        return places.LAB / "known_hosts"

    @property
    def external_address(self) -> str | None:
        """Its address on its second interface, ``ext0``; None for a host that has no such interface."""
        outside = network.current(network.outer())
        return network.counterpart(self.address, outside) if self.wish.external and outside else None

    @property
    def log(self) -> Path:
        """What the host's console has shown."""
        return self.runner.log

    @property
    def root(self) -> Path:
        """The file system of a running host as this machine sees it; only of a host that shares its kernel."""
        return self.runner.root

    @property
    def made_from(self) -> str:
        """What it is made of: ``distribution``, its own packages, or ``stand-in`` (see `installer.lab.stand_in`)."""
        return bases.made_from(Path(self.image))

    @property
    def running(self) -> bool:
        """Whether the host runs now."""
        return self.runner.running

    @property
    def runner(self) -> Runner:
        """What runs the host."""
        return kinds.KINDS[self.wish.kernel](self.folder, self.name, Path(self.image), self.wish)

    def ssh(self, user: str | None = None, *further: str) -> list[str]:
        """Return the ssh command line, up to and with the address, that trusts this host's key and no other.

        Args:
            user: somebody else than the host's user.
            further: more options of ssh.
        """
        options = {
            "IdentitiesOnly": "yes",
            "UserKnownHostsFile": str(self.known_hosts),
            "GlobalKnownHostsFile": "/dev/null",
            "StrictHostKeyChecking": "yes",
            "ConnectTimeout": "5",
            "LogLevel": "ERROR",
        }
        settings = [part for key, value in options.items() for part in ("-o", f"{key}={value}")]
        target = f"{user or self.user}@{self.address}"
        return ["ssh", "-F", "none", "-i", str(self.private_key), *settings, *further, target]

    def run(
        self,
        command: Sequence[str] | str,
        user: str | None = None,
        stdin: str = "",
        timeout: float | None = None,
        check: bool = False,
    ) -> subprocess.CompletedProcess[str]:
        """Run a command on the host over SSH with the lab's key.

        Args:
            command: an argument list, quoted here, or a text for the login shell.
            user: somebody else than the host's user.
            stdin: text for the command's standard input.
            timeout: seconds after which it is given up.
            check: raise when it does not end with 0.

        Raises:
            LabFailed: with ``check``, when it ends with another code than 0.
            subprocess.TimeoutExpired: when it takes too long.
        """
        text = command if isinstance(command, str) else shlex.join(command)
        argv = [*self.ssh(user, "-T", "-o", "BatchMode=yes"), text]
        done = subprocess.run(argv, input=stdin, capture_output=True, text=True, errors="replace", timeout=timeout)
        if check and done.returncode:
            tail = "\n".join((done.stdout + done.stderr).strip().splitlines()[-20:])
            raise LabFailed(f"on lab host {self.name}: '{text}' ended with {done.returncode}:\n{tail}")
        return done

    def save(self) -> None:
        """Write the host's state to disk."""
        state = asdict(self)
        write_state(self.folder / "host.json", state.pop("wish") | state)

    def start(self) -> None:
        """Boot the host where it does not run, and wait until one can log in."""
        self.boot()
        self.wait()

    def boot(self) -> None:
        """Boot the host where it does not run, without waiting for it."""
        with lock("lab"):
            if self.running:
                return
            network.ensure()
            network.forget_neighbour(self.address)
            if self.external_address:
                network.ensure(network.outer())
                network.forget_neighbour(self.external_address, network.outer())
            self.runner.start()

    def wait(self, seconds: float | None = None) -> None:
        """Wait until one can log in.

        Args:
            seconds: how long at most; None: as long as a host of its kind may take.

        Raises:
            LabFailed: with the last words of SSH and of the console, when that does not come to pass.
        """
        deadline = time.monotonic() + (self.runner.login_seconds if seconds is None else seconds)
        seen_running = time.monotonic()
        while True:
            done = self.run(["true"])
            if done.returncode == 0:
                return
            now = time.monotonic()
            seen_running = now if self.running else seen_running
            # Between the two halves of a reboot nothing of a host runs for a moment.
            if now > deadline or now > seen_running + _DEAD_SECONDS:
                raise LabFailed(
                    f"one cannot log in to lab host {self.name} ({self.address}): {done.stderr.strip()}\n"
                    f"{self._console()}",
                    f"Its whole console: {self.log}",
                )
            time.sleep(0.1)

    def _console(self) -> str:
        lines = self.log.read_text(errors="replace").splitlines() if self.log.exists() else []
        return "\n".join(lines[-15:])

    def stop(self) -> None:
        """Shut the host down in order; what is on its disk stays."""
        self.runner.stop()
        self.runner.release()

    def kill9(self) -> None:
        """Stop the host as a power cut would; what is on its disk stays."""
        self.runner.kill()
        self.runner.release()

    def reboot(self) -> None:
        """Reboot the host in order and wait until one can log in again."""
        self.runner.reboot()
        self.wait()

    def reset(self) -> None:
        """Throw away everything that happened on the host since it was made, and boot it again."""
        self.kill9()
        self.runner.discard()
        self.start()

    def remove(self) -> None:
        """Stop the host at once and remove it from disk."""
        self.kill9()
        self.runner.destroy()


def load(name: str) -> LabHost | None:
    """Return a lab host from its state on disk, or None when there is none of that name."""
    state = read_state(host_folder(name) / "host.json")
    if state is None:
        return None
    wished = {one.name: state.pop(one.name) for one in fields(Wish) if one.name in state}
    lists = {key: tuple(value) for key, value in wished.items() if isinstance(value, list)}
    return LabHost(**state, wish=Wish(**{**wished, **lists}))


def hosts() -> list[LabHost]:
    """Return all lab hosts there are, running or not, by name."""
    folders = sorted((places.LAB / "hosts").glob("*"))
    return [host for host in (load(folder.name) for folder in folders) if host is not None]


def get(name: str) -> LabHost:
    """Return the lab host of that name.

    Raises:
        LabRefused: when there is none.
    """
    host = load(name)
    if host is None:
        known = ", ".join(host.name for host in hosts()) or "none"
        raise LabRefused(f"there is no lab host '{name}'", f"Lab hosts there are: {known}.")
    return host
