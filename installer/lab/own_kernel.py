"""A lab host with a kernel of its own: User-mode Linux, a kernel that is a process of this machine.

It has what containers on a shared kernel have not: device-mapper, iSCSI, SELinux, modules, mounts of its own. Measured
on 2 cores: log in after 6 s; Python takes twice as long as in a container, computing as long.
"""

from __future__ import annotations

import contextlib
import hashlib
import os
import shutil
import signal
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

from installer.lab import disk, kernel, network, nspawn, places, power_button
from installer.lab.places import LabFailed, LabRefused, Report, write
from installer.lab.platforms import LabPlatform
from installer.lab.runner import Runner, Wish

SELINUX_STATES = ("disabled", "permissive", "enforcing")
_MEMORY = 2048
_LEAST_MEMORY = 256
# Beyond the memory that the host sees, for the kernel itself.
_MEMORY_SPARE = 64
_STOP_SECONDS = 120
_DEATH_SECONDS = 120
# What the kernel calls its interfaces, in their order, and what a lab host calls them.
_INTERFACES = {"vec0": "host0", "vec1": places.EXTERNAL}
# The kernel's own folder in the host's, with its sockets.
_CONSOLE = "console"
_SYSTEM_DISK = "disk"


class OwnKernel(Runner):
    """Runs a lab host in User-mode Linux, and that in a container of systemd-nspawn (see `Runner`).

    The container has nothing but the kernel's folder and the host's: it gives the kernel the C library that it needs,
    and takes all processes of the host with it when it ends.
    """

    login_seconds = 180
    has_share = False

    @staticmethod
    def check(wish: Wish) -> None:
        """See `Runner.check`."""
        if wish.binds:
            raise LabRefused(
                "a lab host with a kernel of its own sees no folder of this machine", "Leave out the binds."
            )
        if wish.selinux and wish.selinux not in SELINUX_STATES:
            raise LabRefused(
                f"the state of SELinux cannot be '{wish.selinux}'", f"Choose one of: {', '.join(SELINUX_STATES)}."
            )
        if wish.memory and wish.memory < _LEAST_MEMORY:
            raise LabRefused(
                f"a lab host does not run with {wish.memory} MiB of memory", f"Give it {_LEAST_MEMORY} or more."
            )
        if any(size < 1 for size in wish.disks):
            raise LabRefused("a disk of a lab host has at least 1 GiB", "Give sizes in GiB.")

    @staticmethod
    def provide(platform: LabPlatform, wish: Wish, report: Report) -> Path:
        """See `Runner.provide`."""
        return disk.provide(platform, wish.python, bool(wish.selinux), report)

    @contextmanager
    def furnish(self) -> Iterator[Path]:
        """See `Runner.furnish`."""
        own = self.folder / f"{_SYSTEM_DISK}.image"
        disk.copy(disk.system(self.image), own)
        with disk.mounted(own, self.root) as root:
            yield root
            _apply(root)
            if self.wish.selinux:
                disk.set_selinux(root, self.wish.selinux)

    @property
    def running(self) -> bool:
        """See `Runner.running`."""
        return nspawn.supervisor(self._mark) is not None or bool(self._kernels())

    def start(self) -> None:
        """See `Runner.start`."""
        # Left by a kernel that was killed; the next one, of the same process id in its container, would take its own
        # for somebody else's.
        shutil.rmtree(self.folder / _CONSOLE, ignore_errors=True)
        for number, size in enumerate(self.wish.disks, 1):
            if not _data_disk(self.folder, number).exists():
                disk.empty(_data_disk(self.folder, number), size * disk.GIB)
        taps = {}
        for number, bridge in enumerate(self.bridges()):
            taps[tap_name(self.folder, number)] = hardware_address(self.folder, number)
            network.plug(tap_name(self.folder, number), bridge)
        memory = self.wish.memory or _MEMORY
        options = [
            "--as-pid2",
            # So that several hosts may use it.
            "--read-only",
            f"--directory={disk.core(self.image)}",
            "--bind=/dev/net/tun",
            f"--tmpfs={kernel.MEMORY}:size={memory + _MEMORY_SPARE}M,mode=0700",
            f"--setenv=TMPDIR={kernel.MEMORY}",
            # Kernel and processes of the host take turns; where they do it on two processors, it takes four times as
            # long.
            f"--cpu-affinity={_idlest_processor()}",
            "--console=pipe",
            kernel.PROGRAM,
            *boot_arguments(self.folder, memory, len(self.wish.disks), taps, self.wish.selinux),
        ]
        nspawn.start(self.name, self.log, self._mark, options)

    def stop(self) -> None:
        """See `Runner.stop`."""
        with contextlib.suppress(LabFailed):
            power_button.press(self.folder / _CONSOLE)
            nspawn.within(_STOP_SECONDS, lambda: not self.running)
        self.kill()

    def kill(self) -> None:
        """See `Runner.kill`."""

        def dead() -> bool:
            for process in self._kernels():
                with contextlib.suppress(ProcessLookupError):
                    os.kill(process, signal.SIGKILL)
            return not self.running

        if not nspawn.within(_DEATH_SECONDS, dead):
            raise LabFailed(f"the kernel in {self.folder} does not die", f"See its console: {self.log}")

    def reboot(self) -> None:
        """See `Runner.reboot`."""
        if not self.running:
            raise LabFailed(f"the kernel in {self.folder} does not run", "Start it first.")
        self.stop()
        self.start()

    def release(self) -> None:
        """See `Runner.release`."""
        for number in range(len(_INTERFACES)):
            network.unplug(tap_name(self.folder, number))
        nspawn.clean_up(self.name)

    def discard(self) -> None:
        """See `Runner.discard`."""
        for path in [self.folder / f"{_SYSTEM_DISK}.changes", *self.folder.glob("data-*.disk")]:
            path.unlink(missing_ok=True)

    @property
    def _mark(self) -> str:
        return f"--bind={self.folder}:{kernel.HOST}"

    def _kernels(self) -> list[int]:
        mark = _mark_of(self.folder)
        return [process for process, argv in nspawn.command_lines(kernel.PROGRAM) if mark in argv]


def boot_arguments(folder: Path, memory: int, disks: int, taps: Mapping[str, str], selinux: str) -> list[str]:
    """Return the command line of a host's kernel.

    Args:
        folder: the host's on this machine; the kernel sees it as `kernel.HOST`.
        memory: in MiB.
        disks: how many it has beside the first.
        taps: its interfaces: hardware address by the tap of this machine that each is.
        selinux: as in `Wish`.
    """
    system = f"{kernel.HOST}/{_SYSTEM_DISK}"
    return [
        f"mem={memory}M",
        f"uml_dir={kernel.HOST}/",
        f"umid={_CONSOLE}",
        # The kernel keeps what changes beside the disk that was furnished.
        f"ubd0={system}.changes,{system}.image",
        *(f"ubd{number}={kernel.HOST}/{_data_disk(folder, number).name}" for number in range(1, disks + 1)),
        "root=/dev/ubda",
        "rw",
        # What the host has written is in this machine's memory: its death loses none of that, so no write waits.
        "rootflags=nobarrier",
        *(
            f"{interface}:transport=tap,ifname={tap},mac={address},depth=128,gro=1"
            for interface, (tap, address) in zip(_INTERFACES, taps.items(), strict=False)
        ),
        # Its other way to run processes, by ptrace, is slower and fails on processors with AMX.
        "seccomp=on",
        "net.ifnames=0",
        # Output alone: there is nobody to type.
        "con0=null,fd:1",
        "con=null",
        "ssl=null",
        # A kernel of Debian has it off unless it is asked for; this one has it on, and no parameter of its own for it.
        *([] if selinux else ["lsm=yama"]),
        _mark_of(folder),
    ]


def _mark_of(folder: Path) -> str:
    # The kernel passes over parameters with a dot that no module of it has.
    return f"lab.host={folder}"


def _data_disk(folder: Path, number: int) -> Path:
    return folder / f"data-{number}.disk"


def tap_name(folder: Path, number: int) -> str:
    """Return what this machine calls one of a host's interfaces: at most 15 characters."""
    return f"pk{number}-{_digest(folder)[:10]}"


def hardware_address(folder: Path, number: int) -> str:
    """Return the hardware address of one of a host's interfaces: the same at every start, unlike any other host's."""
    digits = _digest(folder)
    return f"52:54:{number:02x}:{digits[0:2]}:{digits[2:4]}:{digits[4:6]}"


def _digest(folder: Path) -> str:
    return hashlib.sha256(str(folder).encode()).hexdigest()


def _idlest_processor() -> int:
    """Return the processor of this machine on which the fewest kernels of lab hosts run."""
    load = dict.fromkeys(sorted(os.sched_getaffinity(0)), 0)
    for process, _ in nspawn.command_lines(kernel.PROGRAM):
        with contextlib.suppress(OSError):
            for processor in os.sched_getaffinity(process) & load.keys():
                load[processor] += 1
    return min(load, key=lambda processor: load[processor])


def _apply(root: Path) -> None:
    """Write what only a host with a kernel of its own needs into its file system."""
    system = root / "etc/systemd"
    for number, (given, wanted) in enumerate(_INTERFACES.items(), 1):
        write(system / f"network/{number}0-lab.link", f"[Match]\nOriginalName={given}\n\n[Link]\nName={wanted}\n")
    # The only button that this machine can press is Ctrl-Alt-Del (see `power_button`); it shall switch off.
    button = system / "system/ctrl-alt-del.target"
    button.unlink(missing_ok=True)
    button.symlink_to("/usr/lib/systemd/system/poweroff.target")
