"""What LVM of this host looks at: not inside the volumes of others that are attached to it."""

from __future__ import annotations

import dataclasses
import os
import re
from pathlib import Path
from typing import ClassVar, Dict, Sequence

from installer.agent.host import Host
from installer.resources.base import Actual, Resource, State
from installer.resources.file import write_atomically

#: Read after lvm.conf, and stronger: see lvm.conf(5). The package brings one that says nothing.
FILE = Path("/etc/lvm/lvmlocal.conf")
#: Where LVM is told of each device that it may use, nothing else is looked at: see lvmdevices(8).
DEVICES = Path("/etc/lvm/devices/system.devices")
BEGIN = "# begin pystack: what tenants put into their volumes is not this host's"
END = "# end pystack"
#: Volumes as they come from other hosts: links of iSCSI and Fibre Channel in /dev/disk/by-path, network block devices.
OTHERS = ("/dev/disk/by-path/.*-(iscsi|fc)-", "/dev/nbd", "/dev/rbd")


@dataclasses.dataclass(frozen=True)
class LvmFilter(Resource):
    """LVM does not look inside volumes that come from other hosts. A filter of the operator's own stays as it is."""

    kind: ClassVar[str] = "lvm-filter"

    @property
    def name(self) -> str:
        return "volumes"

    def expected(self) -> State:
        return {"looks inside volumes": False}

    @classmethod
    def query(cls, resources: Sequence[LvmFilter], host: Host) -> Dict[str, Actual]:
        state = {"looks inside volumes": not _is_told(host)}
        return {resource.id: dict(state) for resource in resources}

    def fix(self, actual: Actual, host: Host) -> None:
        text = FILE.read_text(errors="replace") if FILE.exists() else ""
        FILE.parent.mkdir(parents=True, exist_ok=True)
        write_atomically(str(FILE), with_block(text, _own_devices(host)).encode(), "root", "root", 0o644)


def with_block(text: str, own: Sequence[str]) -> str:
    """Return lvmlocal.conf with our block at its end.

    Args:
        text: the file as it is.
        own: links of devices that look like others' volumes and are this host's own physical volumes.
    """
    without = re.sub(f"(?s){re.escape(BEGIN)}.*?{re.escape(END)}\n?", "", text)
    rules = [f'"a|^{re.escape(link)}$|"' for link in own] + [f'"r|^{pattern}|"' for pattern in OTHERS]
    lines = [BEGIN, "devices {", f"\tglobal_filter = [ {', '.join(rules)} ]", "}", END, ""]
    return without + ("" if without.endswith("\n") or not without else "\n") + "\n".join(lines)


def _is_told(host: Host) -> bool:
    """Tell whether LVM, if there is any, has a list of its devices or a filter of anybody's."""
    if DEVICES.exists():
        return True
    asked = ["lvmconfig", "--typeconfig", "current", "devices/global_filter"]
    done = host.run(asked, expect=None, timeout=30)
    # 5: nothing is configured (lvmconfig of 2.03; the default is no filter).
    return done.code != 5


def _own_devices(host: Host) -> Sequence[str]:
    """Return the paths by which this host's own physical volumes would be filtered out, such as a SAN's."""
    names = host.run(["pvs", "--noheadings", "--options", "pv_name"], timeout=30).out.split()
    own = {os.path.realpath(name) for name in names}
    links = (str(path) for path in sorted(Path("/dev/disk/by-path").glob("*")))
    filtered = [link for link in links if re.match(OTHERS[0], link) and os.path.realpath(link) in own]
    return [*filtered, *(name for name in names if re.match("|".join(OTHERS[1:]), name))]
