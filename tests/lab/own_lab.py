"""A lab beside the one that somebody may use on this machine, and what a lab leaves behind when it is removed."""

from __future__ import annotations

import json
import subprocess
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

import pytest

from installer import lab
from installer.lab import nspawn, own_kernel, places


def traces(names: Sequence[str]) -> list[str]:
    """Return what of a lab and its hosts is found on this machine, outside of its own folder."""
    links = json.loads(subprocess.check_output(["ip", "-json", "link"]))
    mounts = [line.split()[4] for line in Path("/proc/self/mountinfo").read_text().splitlines()]
    taps = {own_kernel.tap_name(places.host_folder(name), number) for name in names for number in (0, 1)}
    loops = subprocess.check_output(["losetup", "--list", "--noheadings", "--output=BACK-FILE"], text=True)
    return [
        *(
            link["ifname"]
            for link in links
            if link["ifname"].startswith(places.BRIDGE) or link["ifname"][3:] in names or link["ifname"] in taps
        ),
        *(
            route
            for route in subprocess.check_output(["ip", "route"], text=True).splitlines()
            if places.BRIDGE in route
        ),
        *(
            line
            for line in subprocess.check_output(["nft", "list", "tables"], text=True).split()
            if line.startswith(places.TABLE)
        ),
        *(mount for mount in mounts if mount.startswith(str(places.LAB))),
        *(file for file in loops.splitlines() if file.startswith(str(places.LAB))),
        *(
            f"process {process}"
            for process, argv in nspawn.command_lines("")
            if any(str(places.LAB) in word for word in argv)
        ),
        *(str(path) for path in Path("/sys/fs/cgroup").rglob("pystack-lab-*") if path.name[12:] in names),
        *(str(path) for path in Path("/run/systemd/nspawn").rglob("*") if path.name in names),
    ]


@contextmanager
def apart(folder: Path) -> Iterator[None]:
    """Keep hosts apart from those that somebody uses on this machine; only the images are shared."""
    in_use = Path("/sys/class/net", places.BRIDGE)
    # The other one, whenever it comes or goes, sets forwarding, too.
    alone = not in_use.exists()
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(places, "LAB", folder / "lab")
        patch.setattr(places, "BRIDGE", "pystacktest0")
        patch.setattr(places, "TABLE", "pystack_lab_test")
        forwarding = Path("/proc/sys/net/ipv4/ip_forward").read_text()
        yield
        names = [host.name for host in lab.hosts()]
        assert len(traces(names)) > len(names)
        lab.down()
        assert traces(names) == []
        assert not places.LAB.exists()
        if alone and not in_use.exists():
            assert Path("/proc/sys/net/ipv4/ip_forward").read_text() == forwarding
