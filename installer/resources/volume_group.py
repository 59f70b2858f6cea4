"""A volume group of LVM. One that exists is used as it is, whatever it is made of and whatever lies in it."""

from __future__ import annotations

import dataclasses
from typing import ClassVar, Dict, Sequence, Tuple

from installer.agent import volume_groups
from installer.agent.host import Host
from installer.resources.base import Actual, CannotFix, Resource, State

#: Where groups that are kept in files have them; only root may look in.
FOLDER = "/var/lib/pystack/volume-groups"


@dataclasses.dataclass(frozen=True)
class VolumeGroup(Resource):
    """A volume group of that name; where there is none it is made, on what is given and empty.

    Args:
        group: its name.
        devices: paths of the devices to make it on.
        file: a file to make it in, which a loop device stands for already; without devices.
    """

    kind: ClassVar[str] = "volume-group"

    group: str
    devices: Tuple[str, ...] = ()
    file: str = ""

    @property
    def name(self) -> str:
        return self.group

    def expected(self) -> State:
        return {"groups": 1}

    @classmethod
    def query(cls, resources: Sequence[VolumeGroup], host: Host) -> Dict[str, Actual]:
        there = names(host)
        return {
            resource.id: {"groups": there.count(resource.group)} if resource.group in there else None
            for resource in resources
        }

    def fix(self, actual: Actual, host: Host) -> None:
        if isinstance(actual, dict):
            raise CannotFix(
                f"there are {actual['groups']} volume groups {self.group} on this host; rename one: "
                "vgs --options vg_name,vg_uuid; vgrename UUID NEW-NAME"
            )
        devices = self.devices or ((self._loop_device(host),) if self.file else ())
        if not devices:
            raise CannotFix(f"there is no volume group {self.group}, and nothing was named to make it on")
        for device in devices:
            found = volume_groups.look_at_device(device, host)["found"]
            if found:
                raise CannotFix(f"no volume group is made on {device}: {found}; take it out of the answer file")
        # Asks before it overwrites anything, and nobody is there to say yes.
        host.run(["vgcreate", self.group, *devices])

    def _loop_device(self, host: Host) -> str:
        listed = host.run(["losetup", "--noheadings", "--output", "NAME", "--associated", self.file]).out.split()
        if not listed:
            raise CannotFix(f"no loop device stands for {self.file}; see `losetup --list`")
        return listed[0]


def names(host: Host) -> Sequence[str]:
    """Return the names of all volume groups of this host; none where LVM is not installed yet.

    Raises:
        CommandFailed: LVM does not tell.
    """
    done = host.run(["vgs", "--noheadings", "--options", "vg_name"], expect=(0, volume_groups.MISSING), timeout=30)
    return done.out.split() if done.code == 0 else ()
