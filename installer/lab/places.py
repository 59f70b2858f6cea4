"""Where the lab keeps its things on this machine, and the lock that keeps two labs from colliding."""

from __future__ import annotations

import fcntl
import json
import os
import re
import subprocess
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from installer.errors import PystackError

LAB = Path("/var/lib/pystack/lab")
IMAGES = Path("/var/cache/pystack/lab")
LOCKS = Path("/run/pystack-lab")
BRIDGE = "pystack0"
TABLE = "pystack_lab"
DOMAIN = "lab"
#: What a host calls its second interface.
EXTERNAL = "ext0"

Report = Callable[[str], None]

_NAME = re.compile(r"[a-z]([a-z0-9-]{0,30}[a-z0-9])?")


class LabRefused(PystackError):
    """The lab cannot be made on this machine as it was asked for; nothing was changed."""

    exit_code = 3


class PlatformNotPossible(LabRefused):
    """There are no such hosts of that platform, or this machine lacks what they are made of, such as a Python."""


class LabFailed(PystackError):
    """A lab host, its image or its network could not be made."""

    exit_code = 4


def silent(_: str) -> None:
    """Swallow progress messages: the default of every ``report`` argument."""


def check_name(name: str) -> None:
    """Refuse a name that is no plain host name.

    Raises:
        LabRefused: when the name has other characters than a-z, 0-9 and the hyphen, or more than 32 of them.
    """
    if not _NAME.fullmatch(name):
        raise LabRefused(
            f"'{name}' cannot be the name of a lab host",
            "Use up to 32 lower-case letters, digits and hyphens, a letter first.",
        )


def host_folder(name: str) -> Path:
    """Return the folder of one lab host: its state, its layers and its log."""
    return LAB / "hosts" / name


def command(argv: Sequence[str], stdin: str = "", env: dict[str, str] | None = None) -> str:
    """Run a program of this machine and return its standard output.

    Args:
        argv: the program and its arguments.
        stdin: text for its standard input.
        env: variables added to the environment.

    Raises:
        LabFailed: when the program is missing or does not end with 0; holds the last lines of its output.
    """
    try:
        done = subprocess.run(
            list(argv),
            input=stdin,
            capture_output=True,
            text=True,
            errors="replace",
            env={**os.environ, **(env or {})},
        )
    except FileNotFoundError as error:
        raise LabFailed(f"the program '{argv[0]}' is not on this machine") from error
    if done.returncode:
        tail = "\n".join((done.stdout + done.stderr).strip().splitlines()[-12:])
        raise LabFailed(f"'{' '.join(argv)}' ended with {done.returncode}:\n{tail}")
    return done.stdout


def mounts_below(folder: Path, mountinfo: str) -> list[str]:
    """Return what is mounted in a folder or further below, the newest mount first.

    Args:
        folder: absolute.
        mountinfo: text of /proc/PROCESS/mountinfo (proc_pid_mountinfo(5)).
    """
    points = [line.split()[4] for line in mountinfo.splitlines()]
    return [point for point in reversed(points) if Path(point).is_relative_to(folder) and point != str(folder)]


def unmount_below(folder: Path) -> None:
    """Unmount whatever is mounted in a folder or further below.

    Raises:
        LabFailed: when something is in use.
    """
    for point in mounts_below(folder, Path("/proc/self/mountinfo").read_text()):
        command(["umount", point])


@contextmanager
def lock(name: str) -> Iterator[None]:
    """Hold one of the machine's lab locks while the body runs; waits for whoever has it.

    Args:
        name: what is guarded, such as ``lab`` or the name of an image.
    """
    LOCKS.mkdir(mode=0o700, parents=True, exist_ok=True)
    with (LOCKS / f"{name}.lock").open("w") as held:
        fcntl.flock(held, fcntl.LOCK_EX)
        yield


def write(path: Path, content: str | bytes, mode: int = 0o644) -> None:
    """Write a file whole or not at all, with its mode right from the start; makes missing folders.

    Args:
        path: the file.
        content: text or bytes.
        mode: permission bits.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    fresh = path.with_name(f".{path.name}.{os.getpid()}")
    fresh.unlink(missing_ok=True)
    with os.fdopen(os.open(fresh, os.O_WRONLY | os.O_CREAT | os.O_EXCL, mode), "wb") as stream:
        os.fchmod(stream.fileno(), mode)
        stream.write(content.encode() if isinstance(content, str) else content)
    fresh.replace(path)


def write_state(path: Path, state: dict[str, Any]) -> None:
    """Write a state file that only root reads."""
    write(path, json.dumps(state, indent=1, sort_keys=True) + "\n", 0o600)


def read_state(path: Path) -> dict[str, Any] | None:
    """Return the content of a state file, or None when there is none or it was cut short."""
    try:
        state = json.loads(path.read_text())
    except (FileNotFoundError, NotADirectoryError, ValueError):
        return None
    return state if isinstance(state, dict) else None
