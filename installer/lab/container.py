"""A lab host that shares this machine's kernel: a systemd-nspawn container on an overlay of its base image."""

from __future__ import annotations

import contextlib
import hashlib
import os
import signal
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from installer.lab import bases, layers, nspawn, places, shares
from installer.lab.places import LabFailed, LabRefused, Report
from installer.lab.platforms import LabPlatform
from installer.lab.runner import Runner, Wish

# systemd(1), SIGNALS: asks PID 1 to reboot.
_REBOOT = signal.SIGRTMIN + 5
_STOP_SECONDS = 120
_REBOOT_SECONDS = 180
_DEATH_SECONDS = 120
_TUN = Path("/dev/net/tun")
# OVS's userspace datapath and databases lock memory and set priorities; nspawn drops these two otherwise.
_CAPABILITIES = "CAP_SYS_NICE,CAP_IPC_LOCK"
# $1 is the machine's end of a second interface, which nspawn makes at each start, $2 its bridge; then comes nspawn.
_ATTACH = """
( ( n=0
    until ip link set "$1" master "$2" up 2>/dev/null || [ $n -ge 100 ]; do n=$((n+1)); sleep .1; done ) & )
shift 2
exec "$@"
"""


class Container(Runner):
    """Runs a lab host as a container of systemd-nspawn (see `Runner`)."""

    login_seconds = 60
    has_share = True

    @staticmethod
    def check(wish: Wish) -> None:
        """See `Runner.check`."""
        alone = {"disks": wish.disks, "SELinux": wish.selinux, "memory": wish.memory}
        asked = [what for what, value in alone.items() if value]
        if asked:
            raise LabRefused(
                f"a lab host that shares this machine's kernel has no {' and no '.join(asked)} of its own",
                "Ask for a host with a kernel of its own: --kernel own.",
            )

    @staticmethod
    def provide(platform: LabPlatform, wish: Wish, report: Report) -> Path:
        """See `Runner.provide`; the image is a folder."""
        return bases.provide(platform, wish.python, report)

    @contextmanager
    def furnish(self) -> Iterator[Path]:
        """See `Runner.furnish`."""
        root = layers.mount_settings(self.folder, self.image)
        try:
            yield root
            if self.wish.external:
                shares.apply(root, self.name)
        finally:
            layers.unmount(self.folder)
        layers.discard(self.folder)

    @property
    def running(self) -> bool:
        """See `Runner.running`."""
        return nspawn.supervisor(self._mark) is not None or self._leader() is not None

    def start(self) -> None:
        """See `Runner.start`."""
        layers.mount(self.folder, self.image)
        first, *further = self.bridges()
        binds = [*([str(_TUN)] if _TUN.exists() else []), *self.wish.binds]
        options = [
            "--boot",
            f"--network-bridge={first}",
            f"--capability={_CAPABILITIES}",
            "--console=read-only",
        ]
        wrapper: list[str] = []
        if further:
            link = link_name(self.folder)
            wrapper = ["sh", "-c", _ATTACH, "sh", link, *further]
            options.append(f"--network-veth-extra={link}:{places.EXTERNAL}")
            binds.append(shares.bind())
        options += [f"--bind={bind}" for bind in binds]
        nspawn.start(self.name, self.log, self._mark, options, wrapper)

    def stop(self) -> None:
        """See `Runner.stop`."""
        process = nspawn.supervisor(self._mark)
        if process is not None:
            with contextlib.suppress(ProcessLookupError):
                os.kill(process, signal.SIGTERM)
            nspawn.within(_STOP_SECONDS, lambda: not self.running)
        self.kill()

    def kill(self) -> None:
        """See `Runner.kill`: its PID 1 is killed, never its nspawn, whose death would leave PID 1 alive."""

        def dead() -> bool:
            process = self._leader()
            with contextlib.suppress(ProcessLookupError):
                if process is not None:
                    os.kill(process, signal.SIGKILL)
            return not self.running

        if not nspawn.within(_DEATH_SECONDS, dead):
            raise LabFailed(f"the container in {self.folder} does not die", f"See its console: {self.log}")

    def reboot(self) -> None:
        """See `Runner.reboot`."""
        before = self._leader()
        if before is None:
            raise LabFailed(f"the container in {self.folder} does not run", "Start it first.")
        os.kill(before, _REBOOT)
        if not nspawn.within(_REBOOT_SECONDS, lambda: self._leader() not in (before, None)):
            raise LabFailed(f"the container in {self.folder} does not reboot", f"See its console: {self.log}")

    def release(self) -> None:
        """See `Runner.release`."""
        layers.unmount(self.folder)
        nspawn.clean_up(self.name)

    def discard(self) -> None:
        """See `Runner.discard`."""
        layers.discard(self.folder)
        shares.clear(self.name)

    def destroy(self) -> None:
        """See `Runner.destroy`."""
        super().destroy()
        shares.remove(self.name)

    @property
    def _mark(self) -> str:
        return f"--directory={self.root}"

    def _leader(self) -> int | None:
        """Return the process id, on this machine, of the container's PID 1; finds it even when its nspawn is gone."""
        own_level = len(nspawn.status(os.getpid(), "NSpid"))
        needle = f"upperdir={layers.upper(self.folder)},"
        for process in nspawn.processes():
            ids = nspawn.status(process, "NSpid")
            if len(ids) == own_level + 1 and ids[-1] == "1":
                with contextlib.suppress(OSError):
                    if needle in Path("/proc", str(process), "mountinfo").read_text():
                        return process
        return None


def link_name(folder: Path) -> str:
    """Return what this machine calls the other end of a host's second interface: at most 15 characters."""
    return f"px-{hashlib.sha256(str(folder).encode()).hexdigest()[:10]}"
