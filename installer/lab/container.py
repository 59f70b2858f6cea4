"""Starting, stopping and killing one systemd-nspawn container."""

from __future__ import annotations

import contextlib
import os
import signal
import time
from collections.abc import Sequence
from pathlib import Path

from installer.lab import layers, places
from installer.lab.places import LabFailed, command

# systemd(1), SIGNALS: asks PID 1 to reboot.
_REBOOT = signal.SIGRTMIN + 5
_STOP_SECONDS = 120
_REBOOT_SECONDS = 180
_DEATH_SECONDS = 20
_TUN = Path("/dev/net/tun")
# OVS's userspace datapath and databases lock memory and set priorities; nspawn drops these two otherwise.
_CAPABILITIES = "CAP_SYS_NICE,CAP_IPC_LOCK"
# Joins the control groups, notes its process id, becomes nspawn.
_LAUNCH = 'while [ "$1" != -- ]; do echo $$ > "$1" || exit 1; shift; done; shift; exec "$@"'


def _process_file(folder: Path) -> Path:
    return folder / "nspawn.pid"


def log_file(folder: Path) -> Path:
    """Return where the container's console goes."""
    return folder / "console.log"


def start(folder: Path, name: str, binds: Sequence[str]) -> None:
    """Boot the container; returns at once and leaves it running on its own.

    Args:
        folder: the host's folder; its file system must be mounted.
        name: the host's name.
        binds: further ``--bind=`` arguments of nspawn, such as ``/srv/cache:/srv/cache``.
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
    _process_file(folder).unlink(missing_ok=True)
    log = log_file(folder)
    if Path("/run/systemd/system").is_dir():
        service = [
            "systemd-run",
            "--quiet",
            "--collect",
            f"--unit=pystack-lab-{name}",
            "--property=Delegate=yes",
            "--property=KillMode=mixed",
            f"--property=StandardOutput=append:{log}",
            f"--property=StandardError=append:{log}",
            "--setenv=SYSTEMD_NSPAWN_UNIFIED_HIERARCHY=1",
        ]
        command([*service, "sh", "-c", _LAUNCH, "sh", str(_process_file(folder)), "--", *argv])
        return
    groups = [_control_group(hierarchy, name) / "cgroup.procs" for hierarchy in _hierarchies()]
    for group in groups:
        group.parent.mkdir(exist_ok=True)
    script = 'exec </dev/null >>"$1" 2>&1; shift; ' + _LAUNCH
    launcher = [
        "setsid",
        "--fork",
        "sh",
        "-c",
        script,
        "sh",
        str(log),
        *map(str, groups),
        str(_process_file(folder)),
    ]
    command([*launcher, "--", *argv], env={"SYSTEMD_NSPAWN_UNIFIED_HIERARCHY": "1"})


def _hierarchies(mounts: Path = Path("/proc/mounts")) -> list[Path]:
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


def supervisor(folder: Path) -> int | None:
    """Return the process id of the container's nspawn, or None when it does not run."""
    try:
        process = int(_process_file(folder).read_text())
        argv = Path(f"/proc/{process}/cmdline").read_bytes().split(b"\0")
    except (FileNotFoundError, ProcessLookupError, ValueError):
        return None
    return process if f"--directory={layers.root(folder)}".encode() in argv else None


def leader(folder: Path) -> int | None:
    """Return the process id, on this machine, of the container's PID 1; finds it even when its nspawn is gone."""
    own_level = len(_namespace_ids("self"))
    needle = f"upperdir={layers.upper(folder)},"
    for entry in Path("/proc").iterdir():
        if not entry.name.isdigit():
            continue
        ids = _namespace_ids(entry.name)
        if len(ids) == own_level + 1 and ids[-1] == "1":
            with contextlib.suppress(OSError):
                if needle in Path(entry, "mountinfo").read_text():
                    return int(entry.name)
    return None


def _namespace_ids(process: str) -> list[str]:
    with contextlib.suppress(OSError):
        for line in Path("/proc", process, "status").read_text().splitlines():
            if line.startswith("NSpid:"):
                return line.split()[1:]
    return []


def running(folder: Path) -> bool:
    """Tell whether the container runs, or something of it is left."""
    return supervisor(folder) is not None or leader(folder) is not None


def stop(folder: Path) -> None:
    """Shut the container down in order, as a power button would; kills it when that takes two minutes."""
    process = supervisor(folder)
    if process is not None:
        os.kill(process, signal.SIGTERM)
        if _gone(folder, _STOP_SECONDS):
            return
    kill(folder)


def kill(folder: Path) -> None:
    """Kill the container as a power cut would: its PID 1, never its nspawn, whose death would leave PID 1 alive.

    Raises:
        LabFailed: when it still runs afterwards.
    """
    deadline = time.monotonic() + _DEATH_SECONDS
    while running(folder):
        process = leader(folder) or supervisor(folder)
        with contextlib.suppress(ProcessLookupError, TypeError):
            # Before PID 1 exists there is only nspawn to ask.
            os.kill(process, signal.SIGKILL if process == leader(folder) else signal.SIGTERM)  # type: ignore[arg-type]
        if _gone(folder, 2):
            return
        if time.monotonic() > deadline:
            raise LabFailed(f"the container in {folder} does not die (process {process})")


def reboot(folder: Path) -> None:
    """Ask the container to reboot in order, and wait until it has a new PID 1.

    Raises:
        LabFailed: when it does not run, or has not come to its reboot in three minutes.
    """
    before = leader(folder)
    if before is None:
        raise LabFailed(f"the container in {folder} does not run", "Start it first.")
    os.kill(before, _REBOOT)
    deadline = time.monotonic() + _REBOOT_SECONDS
    while leader(folder) in (before, None):
        if time.monotonic() > deadline:
            raise LabFailed(f"the container in {folder} does not reboot", f"See its console: {log_file(folder)}")
        time.sleep(0.1)


def _gone(folder: Path, seconds: float) -> bool:
    deadline = time.monotonic() + seconds
    while running(folder):
        if time.monotonic() > deadline:
            return False
        time.sleep(0.05)
    return True


def remove_control_groups(name: str) -> None:
    """Remove the control groups of a container that has ended."""
    for hierarchy in _hierarchies():
        group = _control_group(hierarchy, name)
        for folder, _, _ in os.walk(group, topdown=False):
            with contextlib.suppress(OSError):
                Path(folder).rmdir()
