"""The three kinds of storage that an instance has: a disk from an image, a volume attached, a volume it boots from."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

from installer.outcome import Verdict
from installer.verify.disks import GIB, Disk, gib, root_disk, seen, volume_among
from installer.verify.failing import CheckFailed
from installer.verify.guest import Guest
from installer.verify.instances import Instance, Workshop
from installer.verify.waiting import TimedOut

#: Seconds until a volume is made of an image, and until it is attached or detached.
MADE_SECONDS, MOVED_SECONDS = 300.0, 120.0
#: Where the guest mounts the volume, and how much it writes: bytes.
MOUNT, WRITTEN = "/mnt/pystack-verify", 1 << 20
CINDER_REMEDY = "on the storage host: `journalctl -u openstack-cinder-volume -n 100`"


def from_image(workshop: Workshop) -> Iterator[Verdict]:
    """Yield the verdicts on an instance whose disk is made from an image."""
    place = workshop.place
    with workshop.running("image", image_id=place.image.id) as instance:
        yield Verdict("an instance from an image lets its owner in", "success", instance.words)
        yield from _way(workshop, instance)
        disk = root_disk(seen(instance.guest))
        yield judge_ephemeral(disk, workshop.flavor.disk, place.disk, str(place.image.name))


def judge_ephemeral(disk: Disk, flavor_gib: int, image: int, name: str) -> Verdict:
    """Return the verdict on the disk of an instance from an image.

    Args:
        disk: as the guest sees it.
        flavor_gib: what the flavor says.
        image: bytes of the image's own disk.
        name: of the image.
    """
    title = "its disk has the size that flavor and image say"
    wanted = flavor_gib * GIB or image
    sizes = f"{disk.name} has {gib(disk.size)} in the guest"
    if disk.size != wanted:
        return Verdict(
            title,
            "fail",
            f"{sizes}, and it should have {gib(wanted)}: the flavor says {flavor_gib} GiB, the image {gib(image)}",
            "instances have another disk than their owners ordered",
            "on the compute host: `qemu-img info /var/lib/nova/instances/ID/disk` says what the disk is",
        )
    return Verdict(
        title,
        "success",
        f"{sizes}: the flavor gives {flavor_gib} GiB, and of these the image {name} fills {gib(image)}; "
        "it is on the compute host, and goes when the instance is removed",
    )


def with_volume(workshop: Workshop) -> Iterator[Verdict]:
    """Yield the verdicts on a volume that an instance formats, writes, loses and gets back."""
    with workshop.running("attached", image_id=workshop.place.image.id) as instance:
        yield Verdict("an instance that is to get a volume lets its owner in", "success", instance.words)
        yield from _way(workshop, instance)
        volume = _volume(workshop, "attached-volume", size=1)
        before = seen(instance.guest)
        disk = _attach(workshop, instance, volume, before)
        if disk.size != volume.size * GIB:
            raise CheckFailed(f"the volume has {volume.size} GiB, and {disk.name} has {gib(disk.size)} in the guest")
        system, digest = _write(instance.guest, disk)
        found = f"{disk.name} of {gib(disk.size)} in the guest, formatted with {system}, {gib(WRITTEN)} written"
        yield Verdict("a volume is attached, formatted, mounted and written", "success", found)
        _detach(workshop, instance, volume, disk)
        disk = _attach(workshop, instance, volume, before)
        yield judge_data(disk, digest, _read(instance.guest, disk))


def judge_data(disk: Disk, written: str, read: str) -> Verdict:
    """Return the verdict on the data of a volume that was detached and attached again; sha256 before and after."""
    title = "the volume is detached and attached again with its data"
    if written == read:
        return Verdict(title, "success", f"{disk.name} in the guest; sha256 {read[:12]}... as before")
    return Verdict(
        title, "fail", f"sha256 {read[:12]}..., and {written[:12]}... was written", "data is lost", CINDER_REMEDY
    )


def from_volume(workshop: Workshop) -> Iterator[Verdict]:
    """Yield the verdicts on an instance that boots from a volume, which was made from an image."""
    place = workshop.place
    # Another size than the flavor's disk, so that the guest tells which of the two it has.
    volume = _volume(workshop, "boot-volume", size=place.disk_gib + 1, image_id=place.image.id)
    title = "a volume is made from an image"
    yield Verdict(title, "success", f"{volume.size} GiB, bootable, from {place.image.name}")
    source = {
        "boot_index": 0,
        "uuid": volume.id,
        "source_type": "volume",
        "destination_type": "volume",
        "delete_on_termination": False,
    }
    # The name begins with the volume's: what removes the instance removes the volume as well.
    with workshop.running("boot", block_device_mapping=[source]) as instance:
        yield Verdict("an instance from a volume lets its owner in", "success", instance.words)
        yield from _way(workshop, instance)
        yield judge_boot_disk(root_disk(seen(instance.guest)), volume.size, volume.id, workshop.flavor.disk)


def judge_boot_disk(disk: Disk, size: int, volume: str, flavor_gib: int) -> Verdict:
    """Return the verdict on the disk of an instance that boots from a volume.

    Args:
        disk: as the guest sees it.
        size: GiB of the volume.
        volume: its id.
        flavor_gib: what the flavor says.
    """
    title = "its disk is the volume"
    known = f", serial number {disk.serial}" if disk.serial else ""
    found = f"{disk.name} has {gib(disk.size)} in the guest{known}"
    if disk.size != size * GIB or (disk.serial and not volume.startswith(disk.serial)):
        return Verdict(
            title, "fail", f"{found}; the volume {volume} has {size} GiB", "the instance runs from something else"
        )
    return Verdict(
        title,
        "success",
        f"{found}: the volume's {size} GiB, not the flavor's {flavor_gib}; it stays when the instance is removed",
    )


def _way(workshop: Workshop, instance: Instance) -> Iterator[Verdict]:
    guest = instance.guest
    if not guest.way:
        return
    yield Verdict(
        "floating addresses are reached from this machine",
        "warn",
        f"{guest.why_not_directly}; through {guest.way} it is reached",
        "from here nobody gets into an instance without going through that host",
        "give this machine a route to their network, for example `ip route add "
        f"{workshop.live.answers['CONFIG_PROVISION_DEMO_FLOATRANGE']} via {guest.way}`, or `ssh -J {guest.way} "
        f"{guest.user}@{guest.address}`",
    )


def _volume(workshop: Workshop, name: str, **values: Any) -> Any:
    storage = workshop.place.cloud.block_storage
    volume = storage.create_volume(name=f"{workshop.run}{name}", **values)
    return _wait_volume(workshop, volume, "available", "volume to be made", MADE_SECONDS)


def _wait_volume(workshop: Workshop, volume: Any, status: str, what: str, seconds: float) -> Any:
    storage = workshop.place.cloud.block_storage

    def look() -> tuple[Any, str]:
        now = storage.get_volume(volume.id)
        if "error" in now.status:
            raise CheckFailed(
                f"volume {volume.name} is in {now.status}{_said_of(storage, volume.id)}",
                "volumes cannot be used",
                f"{CINDER_REMEDY}; on the controller: `journalctl -u openstack-cinder-scheduler -n 50`",
            )
        return (now if now.status == status else None), now.status

    try:
        return workshop.live.wait(what, seconds, look)
    except TimedOut as problem:
        problem.why, problem.remedy = "volumes cannot be used", CINDER_REMEDY
        raise


def _said_of(storage: Any, volume: str) -> str:
    """Return what the volume service tells users of a volume that failed, such as that no backend has room."""
    answer = storage.get("/messages", microversion="3.5")
    told = answer.json().get("messages", ()) if answer.ok else ()
    texts = [str(one.get("user_message")) for one in told if one.get("resource_uuid") == volume]
    return f": {texts[0]}" if texts else ""


def _attach(workshop: Workshop, instance: Instance, volume: Any, before: Sequence[Disk]) -> Disk:
    workshop.place.cloud.compute.create_volume_attachment(instance.server, volume_id=volume.id)
    _wait_volume(workshop, volume, "in-use", "volume to be attached", MOVED_SECONDS)

    def look() -> tuple[Disk | None, str]:
        disks = seen(instance.guest)
        return volume_among(disks, before, volume.id), f"it has {', '.join(disk.name for disk in disks)}"

    return workshop.live.wait("guest to see the volume", MOVED_SECONDS, look)


def _detach(workshop: Workshop, instance: Instance, volume: Any, disk: Disk) -> None:
    workshop.place.cloud.compute.delete_volume_attachment(instance.server, volume.id)
    _wait_volume(workshop, volume, "available", "volume to be detached", MOVED_SECONDS)
    names = [one.name for one in seen(instance.guest)]
    if disk.name in names:
        raise CheckFailed(f"the volume is detached, and the guest still has {disk.name}", "data may be lost")


def _write(guest: Guest, disk: Disk) -> tuple[str, str]:
    """Format a disk, write to it; return the kind of file system and the sha256 of what was written."""
    guest.do(
        "if command -v mkfs.ext4 >/dev/null; then mkfs.ext4 -q %s; else mke2fs %s >/dev/null; fi", *[disk.device] * 2
    )
    guest.do("mkdir -p %s && mount %s %s", MOUNT, disk.device, MOUNT)
    system = str(guest.host.mount_point(MOUNT).filesystem)
    guest.do(f"head -c {WRITTEN} /dev/urandom >{MOUNT}/data && sync")
    digest = str(guest.host.file(f"{MOUNT}/data").sha256sum)
    guest.do("umount %s", MOUNT)
    return system, digest


def _read(guest: Guest, disk: Disk) -> str:
    """Mount a disk and return the sha256 of what is on it."""
    guest.do("mount %s %s", disk.device, MOUNT)
    digest = str(guest.host.file(f"{MOUNT}/data").sha256sum)
    guest.do("umount %s", MOUNT)
    return digest
