"""Volume groups belong to their owners: what must be as it was after a run. Pure functions of what agents found."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from installer.outcome import Finding
from installer.report.words import count

#: What Cinder makes in the group that it is given (cinder/volume/drivers/lvm.py): volumes, their snapshots, the pool of
#: thin ones. Its users make and remove these at any time.
CINDERS = re.compile(r"(volume|_?snapshot|clone-snap)-[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}(-.*)?|.+-pool")

#: What an agent found of one group; see ``installer.agent.volume_groups.parse``.
Group = Mapping[str, Any]


def compared(address: str, before: Sequence[Group], after: Mapping[str, Any]) -> Iterator[Finding]:
    """Yield for every volume group that a host had before a run whether it is as it was.

    Args:
        address: the host's.
        before: its groups before the run.
        after: its ``groups`` now, and the ``problem`` if LVM cannot tell.
    """
    if after["problem"]:
        found = f"LVM does not tell what there is now: {after['problem']}"
        yield Finding("volume group", "warn", found, "so nothing was compared", "see what `vgs` says there", address)
        return
    now = {group["uuid"]: group for group in after["groups"]}
    for group in before:
        lines = list(_differences(group, now.get(group["uuid"])))
        others = sum(not CINDERS.fullmatch(volume["name"]) for volume in group["volumes"].values())
        if lines:
            yield Finding(
                "volume group",
                "fail",
                f"{group['name']} is not as it was before this run",
                "pystack changes no volume group that it finds, so somebody else did meanwhile, or pystack has a fault",
                f"compare with what LVM kept of it: /etc/lvm/archive and /etc/lvm/backup (vgcfgrestore --list "
                f"{group['name']}); if it was not you, report it with the run's journal",
                address,
                lines,
            )
        else:
            kept = f"; so is what is not Cinder's in it: {count(others, 'logical volume')}" if others else ""
            found = f"{group['name']} ({group['uuid']}) is as it was{kept}"
            yield Finding("volume group", "success", found, host=address)


def _differences(before: Group, after: Group | None) -> Iterator[str]:
    if after is None:
        yield f"{before['uuid']} is gone"
        return
    for key in ("name", "tags", "writable", "exported", "missing"):
        if before[key] != after[key]:
            yield f"{key}: {before[key]} -> {after[key]}"
    for uuid, device in before["devices"].items():
        yield from _of_one(f"physical volume {device['name']}", device, after["devices"].get(uuid), ("size", "tags"))
    for uuid in after["devices"].keys() - before["devices"].keys():
        yield f"physical volume {after['devices'][uuid]['name']} is new"
    for uuid, volume in before["volumes"].items():
        if not CINDERS.fullmatch(volume["name"]):
            keys = ("name", "size", "tags", "active")
            yield from _of_one(f"logical volume {volume['name']}", volume, after["volumes"].get(uuid), keys)


def _of_one(
    what: str, before: Mapping[str, Any], after: Mapping[str, Any] | None, keys: Sequence[str]
) -> Iterator[str]:
    if after is None:
        yield f"{what} is gone"
        return
    for key in keys:
        if before[key] != after[key]:
            yield f"{what}: {key} {before[key]} -> {after[key]}"
