"""Checks of what storage hosts must bring along. Each is a pure function of what the host's agent found."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from installer.outcome import Finding
from installer.preflight.host_checks import Check, Seen


def volume_group(seen: Seen) -> Iterator[Finding]:
    """The volume group that volumes are to be kept in exists."""
    answers = seen.cloud.answers
    if not are_volumes_in_a_group(answers) or "storage" not in seen.host.groups:
        return
    name = str(answers["CONFIG_CINDER_VOLUME_NAME"])
    told = seen.report["volume_groups"]
    groups = {group["name"]: group for group in told["groups"]}
    if name in groups:
        size, free = (groups[name][key] / 1024 for key in ("size_mib", "free_mib"))
        found = f"{name}: {size:.1f} GiB, of which {free:.1f} GiB are free"
        yield Finding("volume group", "success", found, host=seen.host.address)
        return
    others = f"there are {', '.join(sorted(groups))}" if groups else told["problem"] or "there are none at all"
    yield Finding(
        "volume group",
        "fail",
        f"no volume group {name}; {others}",
        "CONFIG_CINDER_BACKEND=lvm keeps volumes in it, and pystack makes and changes no volume group",
        f"make it on a disk that is free (vgcreate {name} DEVICE), name the one to use in CONFIG_CINDER_VOLUME_NAME, "
        "keep volumes on shares (CONFIG_CINDER_BACKEND=nfs), or do without them (CONFIG_CINDER_INSTALL=n)",
        seen.host.address,
    )


def are_volumes_in_a_group(answers: Mapping[str, Any]) -> bool:
    """Tell whether volumes are to be kept in a volume group."""
    return bool(answers["CONFIG_CINDER_INSTALL"]) and "lvm" in answers["CONFIG_CINDER_BACKEND"]


CHECKS: tuple[Check, ...] = (volume_group,)
