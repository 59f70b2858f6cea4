"""Checks of what storage hosts must bring along. Each is a pure function of what the host's agent found."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from installer.agent.volume_groups import NO_LVM
from installer.outcome import Finding
from installer.preflight.seen import Check, Seen
from installer.resources.volume_group import FOLDER

MIB, GIB = 1 << 20, 1 << 30
#: With less than that there is hardly a volume.
LEAST_FREE = GIB


def question(answers: Mapping[str, Any]) -> dict[str, Any]:
    """Return what agents are to find out of volume groups, if volumes are to be kept in one."""
    if not are_volumes_in_a_group(answers):
        return {}
    return {"volume_groups": {"devices": list(answers["CONFIG_CINDER_VOLUMES_DEVICES"]), "place": FOLDER}}


def are_volumes_in_a_group(answers: Mapping[str, Any]) -> bool:
    """Tell whether volumes are to be kept in a volume group."""
    return bool(answers["CONFIG_CINDER_INSTALL"]) and "lvm" in answers["CONFIG_CINDER_BACKEND"]


def volume_group(seen: Seen) -> Iterator[Finding]:
    """The volume group that volumes are to be kept in exists and can be used, or can be made."""
    answers = seen.cloud.answers
    if not are_volumes_in_a_group(answers) or "storage" not in seen.host.groups:
        return
    name, told = str(answers["CONFIG_CINDER_VOLUME_NAME"]), seen.report["volume_groups"]
    groups = [group for group in told["groups"] if group["name"] == name]
    if told["problem"] and told["problem"] != NO_LVM:
        yield seen.bad(
            "volume group",
            f"LVM does not tell which groups there are: {told['problem']}",
            f"pystack must know whether {name} is somebody's already",
            "see what `vgs` says on the host",
        )
    elif len(groups) > 1:
        yield _twice(seen, name, groups)
    elif groups:
        yield from _existing(seen, groups[0])
    elif answers["CONFIG_CINDER_VOLUMES_DEVICES"]:
        yield from _on_devices(seen, name, told["devices"])
    elif answers["CONFIG_CINDER_VOLUMES_CREATE"]:
        yield _in_a_file(seen, name, told, answers["CONFIG_CINDER_VOLUMES_SIZE"])
    else:
        yield _missing(seen, name, told)


def _twice(seen: Seen, name: str, groups: Sequence[Mapping[str, Any]]) -> Finding:
    uuids = [group["uuid"] for group in groups]
    return seen.bad(
        "volume group",
        f"{len(groups)} volume groups {name}: {', '.join(uuids)}",
        "LVM would not know which one is meant, and pystack does not choose",
        f"rename one (vgrename {uuids[-1]} {name}-old), or take the disks away that it is on",
    )


def _existing(seen: Seen, group: Mapping[str, Any]) -> Iterator[Finding]:
    name, free = group["name"], group["free"] / GIB
    refused = [
        (
            group["missing"],
            f"{group['missing']} of its physical volumes are missing",
            "LVM makes no volume in a group that is not whole",
            f"bring the disks back (pvs --options pv_name,vg_name,pv_missing; vgs {name})",
        ),
        (
            group["exported"],
            "it is exported",
            "LVM does not use a group that was made ready to be moved to another host",
            f"if it is to be used on this one: vgimport {name}",
        ),
        (
            not group["writable"],
            "it is read-only",
            "no volume can be made in it",
            f"if it is to be used: vgchange --permission rw {name}",
        ),
    ]
    bad = [(found, why, remedy) for applies, found, why, remedy in refused if applies]
    for found, why, remedy in bad:
        yield seen.bad("volume group", f"{name}: {found}", why, remedy)
    if group["free"] < LEAST_FREE and not bad:
        yield seen.bad(
            "volume group",
            f"{name}: {free:.1f} GiB are free",
            "there is hardly room for a volume; those that exist keep working",
            f"add a disk (vgextend {name} DEVICE), or name another group in CONFIG_CINDER_VOLUME_NAME",
            outcome="warn",
        )
    elif group["root"] and not bad:
        yield seen.bad(
            "volume group",
            f"{name}: the root file system of this host lies in it, too",
            "volumes share its space and its disks with the system; neither can be moved or replaced without the other",
            "fine for a trial; else keep volumes in a group of their own, and name it in CONFIG_CINDER_VOLUME_NAME",
            outcome="warn",
        )
    elif not bad:
        found = f"{name}: {group['size'] / GIB:.1f} GiB, of which {free:.1f} GiB are free; used as it is"
        yield seen.good("volume group", found)


def _on_devices(seen: Seen, name: str, devices: Mapping[str, Mapping[str, Any]]) -> Iterator[Finding]:
    taken = {path: device["found"] for path, device in devices.items() if device["found"]}
    for path, found in taken.items():
        yield seen.bad(
            "volume group",
            f"{name} cannot be made on {path}: {found}",
            "pystack makes a volume group on devices that nobody has anything on, and wipes none",
            f"take {path} out of CONFIG_CINDER_VOLUMES_DEVICES; or, if nobody needs what is on it any more, wipe it "
            f"yourself (wipefs --all {path})",
        )
    if not taken:
        sizes = ", ".join(f"{path} ({device['size_mib'] / 1024:.1f} GiB)" for path, device in devices.items())
        yield seen.good("volume group", f"{name} will be made on {sizes}")


def _in_a_file(seen: Seen, name: str, told: Mapping[str, Any], size: int) -> Finding:
    room = told["room_mib"] * MIB
    if not told["loop"]:
        return seen.bad(
            "volume group",
            f"{name} cannot be made in a file: this host has no loop devices",
            "LVM needs a device, and a loop device is what makes one of a file; containers have none",
            f"make {name} on a disk, or keep volumes on shares (CONFIG_CINDER_BACKEND=nfs)",
        )
    if room < size:
        return seen.bad(
            "volume group",
            f"{name} would be made in a file of {size / GIB:.0f} GiB; below {FOLDER} {room / GIB:.1f} GiB are free",
            "the file grows with the volumes; a full file system would stop other services, too",
            "make room, set a smaller CONFIG_CINDER_VOLUMES_SIZE, or name disks in CONFIG_CINDER_VOLUMES_DEVICES",
        )
    return seen.good("volume group", f"{name} will be made in a file of {size / GIB:.0f} GiB")


def _missing(seen: Seen, name: str, told: Mapping[str, Any]) -> Finding:
    there = sorted(group["name"] for group in told["groups"])
    others = f"there are {', '.join(there)}" if there else told["problem"] or "there are none at all"
    return seen.bad(
        "volume group",
        f"no volume group {name}; {others}",
        "CONFIG_CINDER_BACKEND=lvm keeps volumes in it",
        "name the one to use in CONFIG_CINDER_VOLUME_NAME, or empty disks to make it on in "
        "CONFIG_CINDER_VOLUMES_DEVICES; have it made in a file, to try things out (CONFIG_CINDER_VOLUMES_CREATE=y); "
        "keep volumes on shares (CONFIG_CINDER_BACKEND=nfs), or do without them (CONFIG_CINDER_INSTALL=n)",
    )


CHECKS: tuple[Check, ...] = (volume_group,)
