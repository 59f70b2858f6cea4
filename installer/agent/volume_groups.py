"""The LVM volume groups of this host. Changes nothing."""

from __future__ import annotations

import json
from typing import Any, Dict, List

from installer.agent.host import Host

#: Exit code of a program that does not exist.
MISSING = 127


def volume_groups(host: Host) -> Dict[str, Any]:
    """Return ``groups``, each with name, size and free space in MiB, and ``problem``: why LVM cannot tell."""
    columns = "vg_name,vg_size,vg_free"
    done = host.run(
        ["vgs", "--reportformat", "json", "--units", "m", "--nosuffix", "--options", columns], expect=None, timeout=30
    )
    if done.code == MISSING:
        return {"groups": [], "problem": "LVM is not installed"}
    try:
        return {"groups": parse(done.out), "problem": ""}
    except (ValueError, KeyError, IndexError):
        words = (done.err.strip() or done.out.strip() or f"vgs ended with code {done.code}").splitlines()
        return {"groups": [], "problem": words[-1]}


def parse(text: str) -> List[Dict[str, Any]]:
    """Return the volume groups that ``vgs --reportformat json`` tells of (lvmreport(7)); sizes in MiB."""
    return [
        {
            "name": group["vg_name"],
            "size_mib": int(float(group["vg_size"])),
            "free_mib": int(float(group["vg_free"])),
        }
        for group in json.loads(text)["report"][0]["vg"]
    ]
