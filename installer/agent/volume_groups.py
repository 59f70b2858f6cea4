"""The LVM volume groups of this host, and devices that one may be made on. Changes nothing."""

from __future__ import annotations

import json
import os
from typing import Any, Dict, Iterable, List, Sequence, Tuple

from installer.agent.host import CommandFailed, Host

#: Exit code of a program that does not exist.
MISSING = 127
NO_LVM = "LVM is not installed"
MIB = 1 << 20
#: Seconds: a disk that does not answer would hold up everything else.
PATIENCE = 10
#: Of lvmreport(7).
FIELDS = {
    "vg": "vg_name,vg_uuid,vg_size,vg_free,vg_tags,vg_permissions,vg_exported,vg_missing_pv_count",
    "pv": "pv_name,pv_uuid,pv_size,pv_tags",
    "lv": "lv_name,lv_uuid,lv_size,lv_active,lv_tags,lv_kernel_major,lv_kernel_minor",
}


def look(devices: Sequence[str], place: str, host: Host) -> Dict[str, Any]:
    """Return ``groups`` (see ``parse``), ``problem``: why LVM cannot tell; ``devices``: by path, size and what is on
    them; ``room_mib``: free space where a group could be kept in a file, and whether there is a ``loop`` device for it.

    Args:
        devices: paths of devices that a group may be made on.
        place: folder of that file; it need not exist.
        host: the host.
    """
    groups, problem = _groups(host)
    return {
        "groups": groups,
        "problem": problem,
        "devices": {path: look_at_device(path, host) for path in devices},
        "room_mib": _room(place),
        "loop": os.path.exists("/dev/loop-control"),
    }


def _groups(host: Host) -> Tuple[List[Dict[str, Any]], str]:
    report = [word for kind, fields in FIELDS.items() for word in ("--configreport", kind, "--options", fields)]
    argv = ["lvm", "fullreport", "--reportformat", "json", "--units", "b", "--nosuffix", *report]
    try:
        done = host.run(argv, expect=None, timeout=PATIENCE)
    except CommandFailed as problem:
        return [], problem.why
    if done.code == MISSING:
        return [], NO_LVM
    try:
        return parse(done.out, os.stat("/").st_dev), ""
    except (ValueError, KeyError, IndexError):
        words = (done.err.strip() or done.out.strip() or "lvm ended with code {}".format(done.code)).splitlines()
        return [], words[-1]


def parse(text: str, root: int) -> List[Dict[str, Any]]:
    """Return the volume groups that ``lvm fullreport --reportformat json`` tells of, sizes in bytes.

    Each has ``name``, ``uuid``, ``size``, ``free``, ``tags``, ``writable``, ``exported``, ``missing`` (how many
    physical volumes), ``root`` (whether the root file system lies in it), ``devices`` and ``volumes``: by uuid, their
    name, size and tags, and whether the volume is active; for a device the ``file`` behind it, if it is one.

    Args:
        text: in bytes, without units, with the fields above.
        root: number of the device of the root file system.
    """
    found = []
    for report in json.loads(text)["report"]:
        for group in report["vg"]:
            if group["vg_name"]:
                found.append(_group(group, report.get("pv", ()), report.get("lv", ()), root))
    return found


def _group(
    group: Dict[str, str], devices: Iterable[Dict[str, str]], volumes: Iterable[Dict[str, str]], root: int
) -> Dict[str, Any]:
    mine = list(volumes)
    numbers = {(int(volume["lv_kernel_major"]), int(volume["lv_kernel_minor"])) for volume in mine}
    return {
        "name": group["vg_name"],
        "uuid": group["vg_uuid"],
        "size": int(group["vg_size"]),
        "free": int(group["vg_free"]),
        "tags": group["vg_tags"],
        "writable": group["vg_permissions"] == "writeable",
        "exported": group["vg_exported"] == "exported",
        "missing": int(group["vg_missing_pv_count"]),
        "root": (os.major(root), os.minor(root)) in numbers,
        "devices": {
            device["pv_uuid"]: {
                "name": device["pv_name"],
                "size": int(device["pv_size"]),
                "tags": device["pv_tags"],
                "file": backing_file(device["pv_name"]),
            }
            for device in devices
        },
        "volumes": {
            volume["lv_uuid"]: {
                "name": volume["lv_name"],
                "size": int(volume["lv_size"]),
                "tags": volume["lv_tags"],
                "active": volume["lv_active"] == "active",
            }
            for volume in mine
        },
    }


def backing_file(device: str) -> str:
    """Return the file behind a loop device; empty for any other device."""
    try:
        with open("/sys/class/block/{}/loop/backing_file".format(os.path.basename(device))) as stream:
            return stream.read().strip()
    except OSError:
        return ""


def look_at_device(path: str, host: Host) -> Dict[str, Any]:
    """Return ``size_mib`` of a device, and ``found``: what is on it or holds it, in words; empty: nothing.

    Args:
        path: such as ``/dev/sdb`` or a link to it.
        host: the host.
    """
    columns = "NAME,TYPE,SIZE,FSTYPE,MOUNTPOINT,RO"
    try:
        listed = host.run(["lsblk", "--json", "--bytes", "--output", columns, path], expect=None, timeout=PATIENCE)
        written = host.run(["wipefs", "--no-act", "--json", "--output", "TYPE", path], expect=None, timeout=PATIENCE)
    except CommandFailed as problem:
        return {"size_mib": 0, "found": problem.why}
    if listed.code:
        return {"size_mib": 0, "found": "there is no such device"}
    (device,) = json.loads(listed.out)["blockdevices"]
    if written.code:
        signatures = [written.err.strip().splitlines()[-1] if written.err.strip() else "cannot be read"]
    else:
        signatures = [entry["type"] for entry in json.loads(written.out or '{"signatures": []}')["signatures"]]
    return {"size_mib": int(device["size"]) // MIB, "found": "; ".join(on_device(device, signatures))}


def on_device(device: Dict[str, Any], signatures: Sequence[str]) -> List[str]:
    """Return what is on a device or holds it, in words.

    Args:
        device: an entry of ``lsblk --json --output NAME,TYPE,SIZE,FSTYPE,MOUNTPOINT,RO``.
        signatures: the types that wipefs(8) finds on it.
    """
    found = []
    if device["type"] not in ("disk", "part", "raid0", "raid1", "raid5", "raid6", "raid10", "mpath", "crypt", "loop"):
        found.append("it is of type {}".format(device["type"]))
    if device["ro"] in (True, "1"):
        found.append("it is read-only")
    if device["mountpoint"]:
        found.append("it is mounted at {}".format(device["mountpoint"]))
    if signatures:
        found.append("it holds {}".format(", ".join(dict.fromkeys(signatures))))
    for child in device.get("children") or ():
        held = " ({})".format(child["fstype"]) if child.get("fstype") else ""
        found.append("{} {}{} is on it".format(child["type"], child["name"], held))
    return found


def _room(place: str) -> int:
    while not os.path.isdir(place):
        place = os.path.dirname(place)
    system = os.statvfs(place)
    return system.f_bavail * system.f_frsize // MIB
