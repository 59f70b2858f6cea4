"""One lab host: its state on disk, and what can be done with it."""

from __future__ import annotations

import shlex
import shutil
import subprocess
import time
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

from installer.lab import container, layers, network, places, settings, shares
from installer.lab.places import LabFailed, LabRefused, host_folder, lock, read_state, write_state

_LOGIN_SECONDS = 60
_DEAD_SECONDS = 3


@dataclass(frozen=True)
class LabHost:
    """A throw-away host.

    Args:
        name: its short name.
        platform: such as ``debian-13``.
        address: its IPv4 address.
        user: who logs in with the lab's key.
        image: folder of its base image.
        host_key: the public key that it is known by, ``ssh-ed25519 AAAA…``.
        binds: folders of this machine that it sees, in the form of nspawn's ``--bind=``.
    """

    name: str
    platform: str
    address: str
    user: str
    image: str
    host_key: str
    binds: tuple[str, ...] = ()

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
        network_there = network.current(network.outer())
        has = (layers.settings(self.folder) / settings.EXTERNAL_FILE).exists()
        return network.counterpart(self.address, network_there) if has and network_there else None

    @property
    def log(self) -> Path:
        """What the host's console has shown."""
        return container.log_file(self.folder)

    @property
    def root(self) -> Path:
        """The host's whole file system as this machine sees it, while it is mounted."""
        return layers.root(self.folder)

    @property
    def running(self) -> bool:
        """Whether the host runs now."""
        return container.running(self.folder)

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
        write_state(self.folder / "host.json", asdict(self))

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
            layers.mount(self.folder, Path(self.image))
            second_bridge = ""
            if self.external_address:
                second_bridge = network.outer().bridge
                network.ensure(network.outer())
                network.forget_neighbour(self.external_address, network.outer())
            container.start(self.folder, self.name, self.binds, second_bridge)

    def wait(self, seconds: float = _LOGIN_SECONDS) -> None:
        """Wait until one can log in.

        Args:
            seconds: how long at most.

        Raises:
            LabFailed: with the last words of SSH and of the console, when that does not come to pass.
        """
        deadline = time.monotonic() + seconds
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
        container.stop(self.folder)
        self._release()

    def kill9(self) -> None:
        """Stop the host as a power cut would; what is on its disk stays."""
        container.kill(self.folder)
        self._release()

    def _release(self) -> None:
        layers.unmount(self.folder)
        container.remove_control_groups(self.name)

    def reboot(self) -> None:
        """Reboot the host in order and wait until one can log in again."""
        container.reboot(self.folder)
        self.wait()

    def reset(self) -> None:
        """Throw away everything that happened on the host since it was made, and boot it again."""
        self.kill9()
        layers.discard(self.folder)
        shares.clear(self.name)
        self.start()

    def remove(self) -> None:
        """Stop the host at once and remove it from disk."""
        self.kill9()
        shutil.rmtree(self.folder)
        shares.remove(self.name)


def load(name: str) -> LabHost | None:
    """Return a lab host from its state on disk, or None when there is none of that name."""
    state = read_state(host_folder(name) / "host.json")
    return LabHost(**{**state, "binds": tuple(state["binds"])}) if state else None


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
