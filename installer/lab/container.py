"""Starting, stopping and killing one systemd-nspawn container."""

from __future__ import annotations

import contextlib
import hashlib
import os
import signal
import time
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

from installer.lab import layers, places
from installer.lab.places import LabFailed, command

# systemd(1), SIGNALS: asks PID 1 to reboot.
_REBOOT = signal.SIGRTMIN + 5
_START_SECONDS = 5
_STOP_SECONDS = 120
_REBOOT_SECONDS = 180
_DEATH_SECONDS = 120
_TUN = Path("/dev/net/tun")
# OVS's userspace datapath and databases lock memory and set priorities; nspawn drops these two otherwise.
_CAPABILITIES = "CAP_SYS_NICE,CAP_IPC_LOCK"
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
# $1 is the machine's end of a second interface, which nspawn makes at each start, $2 its bridge; then comes nspawn.
_ATTACH = """
( ( n=0
    until ip link set "$1" master "$2" up 2>/dev/null || [ $n -ge 100 ]; do n=$((n+1)); sleep .1; done ) & )
shift 2
exec "$@"
"""


def log_file(folder: Path) -> Path:
    """Return where the container's console goes."""
    return folder / "console.log"


def start(folder: Path, name: str, binds: Sequence[str], second_bridge: str = "") -> None:
    """Boot the container and leave it running on its own; returns before it has booted.

    Args:
        folder: the host's folder; its file system must be mounted.
        name: the host's name.
        binds: further ``--bind=`` arguments of nspawn, such as ``/srv/cache:/srv/cache``.
        second_bridge: bridge of this machine that its second interface leads to; empty: it has none.

    Raises:
        LabFailed: when nspawn does not start; holds what it said.
    """
    argv = [
        "systemd-nspawn",
        "--quiet",
        "--settings=no",
        "--register=no",
        "--keep-unit",
        "--boot",
        f"--directory={layers.root(folder)}",
        f"--machine={name}",
        f"--network-bridge={places.BRIDGE}",
        f"--capability={_CAPABILITIES}",
        "--link-journal=no",
        "--resolv-conf=off",
        "--timezone=off",
        "--console=read-only",
        *([f"--bind={_TUN}"] if _TUN.exists() else []),
        *(f"--bind={bind}" for bind in binds),
    ]
    if second_bridge:
        link = link_name(folder)
        argv = ["sh", "-c", _ATTACH, "sh", link, second_bridge, *argv, f"--network-veth-extra={link}:{places.EXTERNAL}"]
    if Path("/run/systemd/system").is_dir():
        _start_as_unit(name, log_file(folder), argv)
    else:
        _start_detached(name, log_file(folder), argv)
    if not _within(_START_SECONDS, lambda: supervisor(folder) is not None):
        said = log_file(folder).read_text(errors="replace") if log_file(folder).exists() else ""
        raise LabFailed(f"systemd-nspawn did not start lab host {name}:\n" + "\n".join(said.splitlines()[-12:]))


def link_name(folder: Path) -> str:
    """Return what this machine calls the other end of a host's second interface: at most 15 characters."""
    return f"px-{hashlib.sha256(str(folder).encode()).hexdigest()[:10]}"


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


def remove_control_groups(name: str) -> None:
    """Remove the control groups of a container that has ended."""
    for hierarchy in hierarchies():
        for folder, _, _ in os.walk(_control_group(hierarchy, name), topdown=False):
            with contextlib.suppress(OSError):
                Path(folder).rmdir()


def supervisor(folder: Path) -> int | None:
    """Return the process id of the container's nspawn, or None when it does not run."""
    wanted = f"--directory={layers.root(folder)}".encode()
    found = set()
    for process in _processes():
        with contextlib.suppress(OSError):
            argv = Path("/proc", str(process), "cmdline").read_bytes().split(b"\0")
            if argv[0].endswith(b"systemd-nspawn") and wanted in argv:
                found.add(process)
    # Until they become the container's PID 1, nspawn's children look the same as nspawn.
    return next((process for process in found if int((_status(process, "PPid") or ["0"])[0]) not in found), None)


def leader(folder: Path) -> int | None:
    """Return the process id, on this machine, of the container's PID 1; finds it even when its nspawn is gone."""
    own_level = len(_status(os.getpid(), "NSpid"))
    needle = f"upperdir={layers.upper(folder)},"
    for process in _processes():
        ids = _status(process, "NSpid")
        if len(ids) == own_level + 1 and ids[-1] == "1":
            with contextlib.suppress(OSError):
                if needle in Path("/proc", str(process), "mountinfo").read_text():
                    return process
    return None


def _processes() -> Iterator[int]:
    return (int(entry.name) for entry in Path("/proc").iterdir() if entry.name.isdigit())


def _status(process: int, field: str) -> list[str]:
    """Return the values of one field of /proc/PID/status; empty when the process has ended."""
    with contextlib.suppress(OSError):
        for line in Path("/proc", str(process), "status").read_text().splitlines():
            if line.startswith(f"{field}:"):
                return line.split()[1:]
    return []


def running(folder: Path) -> bool:
    """Tell whether the container runs, or something of it is left."""
    return supervisor(folder) is not None or leader(folder) is not None


def stop(folder: Path) -> None:
    """Shut the container down in order, as a power button would; kills it when that takes two minutes."""
    process = supervisor(folder)
    if process is not None:
        with contextlib.suppress(ProcessLookupError):
            os.kill(process, signal.SIGTERM)
        _within(_STOP_SECONDS, lambda: not running(folder))
    kill(folder)


def kill(folder: Path) -> None:
    """Kill the container as a power cut would: its PID 1, never its nspawn, whose death would leave PID 1 alive.

    Raises:
        LabFailed: when it still runs afterwards.
    """

    def dead() -> bool:
        process = leader(folder)
        with contextlib.suppress(ProcessLookupError):
            if process is not None:
                os.kill(process, signal.SIGKILL)
        return not running(folder)

    if not _within(_DEATH_SECONDS, dead):
        raise LabFailed(f"the container in {folder} does not die", f"See its console: {log_file(folder)}")


def reboot(folder: Path) -> None:
    """Ask the container to reboot in order, and wait until it has a new PID 1.

    Raises:
        LabFailed: when it does not run, or has not come to its reboot in three minutes.
    """
    before = leader(folder)
    if before is None:
        raise LabFailed(f"the container in {folder} does not run", "Start it first.")
    os.kill(before, _REBOOT)
    if not _within(_REBOOT_SECONDS, lambda: leader(folder) not in (before, None)):
        raise LabFailed(f"the container in {folder} does not reboot", f"See its console: {log_file(folder)}")


def _within(seconds: float, condition: Callable[[], bool]) -> bool:
    """Wait until a condition holds; tell whether it came to hold in time."""
    deadline = time.monotonic() + seconds
    while not condition():
        if time.monotonic() > deadline:
            return False
        time.sleep(0.05)
    return True
