"""What a guest says of its disks. Parsing is pure."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass

from installer.verify.failing import CheckFailed
from installer.verify.guest import Guest

GIB = 1 << 30
#: Bytes of what /sys/block/*/size counts, whatever the disk's own blocks are (Documentation/block/stat.rst).
SECTOR = 512
#: Prints name, size and serial number of each disk; a virtio disk has the latter, the first 20 characters of the
#: volume's id (nova/virt/libvirt/volume/volume.py, conf.serial).
LIST = (
    'for disk in /sys/block/*; do echo "${disk##*/} $(cat $disk/size) '
    '$(cat $disk/serial 2>/dev/null || cat $disk/device/vpd_pg80 2>/dev/null | tr -cd "0-9a-f-")"; done'
)
_NO_DISKS = re.compile(r"(loop|ram|zram|sr|fd|nbd|dm-|md)\d+$")


@dataclass(frozen=True)
class Disk:
    """A disk as a guest sees it: name, size in bytes, serial number (empty where it has none)."""

    name: str
    size: int
    serial: str = ""

    @property
    def device(self) -> str:
        """Path of its device."""
        return f"/dev/{self.name}"


def parse(listed: str) -> list[Disk]:
    """Return the disks that ``LIST`` printed, without drives for media, memory and what is made of other disks."""
    found = []
    for line in listed.splitlines():
        name, size, *serial = line.split()
        if not _NO_DISKS.match(name) and int(size):
            found.append(Disk(name, int(size) * SECTOR, "".join(serial)))
    return found


def seen(guest: Guest) -> list[Disk]:
    """Return a guest's disks, by name."""
    return sorted(parse(guest.do(LIST)), key=lambda disk: disk.name)


def root_disk(disks: Sequence[Disk]) -> Disk:
    """Return the disk that the guest booted from: the first.

    Raises:
        CheckFailed: it has none.
    """
    if not disks:
        raise CheckFailed("the guest sees no disk", "nothing can be kept in it", "`virsh domblklist` on its host")
    return disks[0]


def volume_among(disks: Sequence[Disk], before: Sequence[Disk], volume: str) -> Disk | None:
    """Return the disk that is a volume: by its serial number, else the one that came new.

    Args:
        disks: what the guest sees now.
        before: what it saw without the volume.
        volume: its id.
    """
    by_serial = [disk for disk in disks if disk.serial and volume.startswith(disk.serial)]
    names = {disk.name for disk in before}
    new = [disk for disk in disks if disk.name not in names and not disk.serial]
    return next(iter([*by_serial, *new]), None)


def gib(size: int) -> str:
    """Return a size in words: ``1 GiB``, ``1.5 GiB``, ``32 MiB``."""
    if size < GIB:
        return f"{size / (1 << 20):.4g} MiB"
    return f"{size / GIB:.4g} GiB"
