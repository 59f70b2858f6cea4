"""Starting systemd-nspawn so that it stays when the lab's process ends, and finding it again."""

from __future__ import annotations

import contextlib
import os
import time
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

from installer.lab.places import LabFailed, command

_START_SECONDS = 5
_PROPAGATE = Path("/run/systemd/nspawn/propagate")
# With --keep-unit, nspawn ends with this code when the container reboots, for its caller to start it again
# (systemd 252, src/nspawn/nspawn.c, EXIT_FORCE_RESTART).
_REBOOTED = "133"
# $1 is the log; then come control groups up to "--", then nspawn's command line.
_LAUNCH = f"""
exec </dev/null >>"$1" 2>&1
shift
while [ "$1" != -- ]; do echo $$ >"$1" || exit 1; shift; done
shift
while "$@"; [ $? -eq {_REBOOTED} ]; do :; done
"""


def start(name: str, log: Path, mark: str, options: Sequence[str], wrapper: Sequence[str] = ()) -> None:
    """Start a container and leave it running on its own.

    Args:
        name: the host's.
        log: file that its console is added to.
        mark: an option of nspawn that no other host's has, by which `supervisor` finds it.
        options: further ones, and what it runs.
        wrapper: command line that nspawn's is put behind, to be run by it.

    Raises:
        LabFailed: when nspawn does not start; holds what it said.
    """
    argv = [
        *wrapper,
        "systemd-nspawn",
        "--quiet",
        "--settings=no",
        "--register=no",
        "--keep-unit",
        f"--machine={name}",
        "--link-journal=no",
        "--resolv-conf=off",
        "--timezone=off",
        mark,
        *options,
    ]
    if Path("/run/systemd/system").is_dir():
        _start_as_unit(name, log, argv)
    else:
        _start_detached(name, log, argv)
    if not within(_START_SECONDS, lambda: supervisor(mark) is not None):
        said = log.read_text(errors="replace") if log.exists() else ""
        raise LabFailed(f"systemd-nspawn did not start lab host {name}:\n" + "\n".join(said.splitlines()[-12:]))


def _start_as_unit(name: str, log: Path, argv: Sequence[str]) -> None:
    properties = {
        "Delegate": "yes",
        "KillMode": "mixed",
        "RestartForceExitStatus": _REBOOTED,
        "SuccessExitStatus": _REBOOTED,
        "StandardOutput": f"append:{log}",
        "StandardError": f"append:{log}",
    }
    command(
        [
            "systemd-run",
            "--quiet",
            "--collect",
            f"--unit=pystack-lab-{name}",
            "--setenv=SYSTEMD_NSPAWN_UNIFIED_HIERARCHY=1",
            *(f"--property={key}={value}" for key, value in properties.items()),
            *argv,
        ]
    )


def _start_detached(name: str, log: Path, argv: Sequence[str]) -> None:
    groups = [_control_group(hierarchy, name) for hierarchy in hierarchies()]
    for group in groups:
        group.mkdir(exist_ok=True)
    joined = [str(group / "cgroup.procs") for group in groups]
    command(
        ["setsid", "--fork", "sh", "-c", _LAUNCH, "sh", str(log), *joined, "--", *argv],
        env={"SYSTEMD_NSPAWN_UNIFIED_HIERARCHY": "1"},
    )


def hierarchies(mounts: Path = Path("/proc/mounts")) -> list[Path]:
    """Return the control group trees in which every container needs a group of its own.

    Two containers in one group would see, and stop, each other's services.
    """
    found = []
    for line in mounts.read_text().splitlines():
        _, where, kind, options, *_ = line.split()
        if kind == "cgroup2" or (kind == "cgroup" and {"name=systemd", "memory"} & set(options.split(","))):
            found.append(Path(where))
    return found


def _control_group(hierarchy: Path, name: str) -> Path:
    return hierarchy / f"pystack-lab-{name}"


def clean_up(name: str) -> None:
    """Remove what a container that has ended left on this machine: control groups, a folder of nspawn's."""
    for hierarchy in hierarchies():
        for folder, _, _ in os.walk(_control_group(hierarchy, name), topdown=False):
            with contextlib.suppress(OSError):
                Path(folder).rmdir()
    with contextlib.suppress(OSError):
        (_PROPAGATE / name).rmdir()


def supervisor(mark: str) -> int | None:
    """Return the process id of the nspawn that has this option, or None when there is none.

    A lab within a lab host may have a host of the same name: its nspawn is of a namespace further down.
    """
    level = len(status(os.getpid(), "NSpid"))
    marked = {process for process, argv in command_lines("systemd-nspawn") if mark in argv}
    found = {process for process in marked if len(status(process, "NSpid")) == level}
    # Until they become the container's PID 1, nspawn's children look the same as nspawn.
    return next((process for process in found if int((status(process, "PPid") or ["0"])[0]) not in found), None)


def command_lines(program: str) -> Iterator[tuple[int, list[str]]]:
    """Yield process id and command line of everything on this machine whose program's path ends with that name."""
    for process in processes():
        with contextlib.suppress(OSError):
            argv = Path("/proc", str(process), "cmdline").read_bytes().decode(errors="replace").split("\0")
            if argv[0].endswith(program):
                yield process, argv


def processes() -> Iterator[int]:
    """Yield the ids of all processes of this machine."""
    return (int(entry.name) for entry in Path("/proc").iterdir() if entry.name.isdigit())


def status(process: int, field: str) -> list[str]:
    """Return the values of one field of /proc/PID/status; empty when the process has ended."""
    with contextlib.suppress(OSError):
        for line in Path("/proc", str(process), "status").read_text().splitlines():
            if line.startswith(f"{field}:"):
                return line.split()[1:]
    return []


def within(seconds: float, condition: Callable[[], bool]) -> bool:
    """Wait until a condition holds; tell whether it came to hold in time."""
    deadline = time.monotonic() + seconds
    while not condition():
        if time.monotonic() > deadline:
            return False
        time.sleep(0.05)
    return True
