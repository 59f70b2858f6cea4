"""Logical volumes of a volume group."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from installer import confinement
from installer.addresses import address_of
from installer.cloud import Cloud, CloudHost
from installer.render import rendered_file
from installer.resources.base import Resource
from installer.resources.command import Command
from installer.resources.file import Directory, File, Symlink
from installer.resources.label import Label
from installer.resources.lvm_filter import LvmFilter
from installer.resources.package import Package
from installer.resources.policy import PolicyPath
from installer.resources.unit import Unit
from installer.resources.volume_group import FOLDER, VolumeGroup
from roles.cinder.backends.base import USER, Backend, facts, initiator
from roles.openstack.role import home

#: Where tgt looks for what to offer, and where Cinder writes that.
TGT_INCLUDES, TARGETS = "/etc/tgt/conf.d/pystack.conf", "/var/lib/cinder/volumes"
#: Where Cinder's rtslib keeps the state of Linux's own target, and what restores it at boot.
STATE, TARGET_UNIT = "/etc/target", "openstack-cinder-target.service"
#: Lets a loop device stand for the file that a volume group is kept in, at every boot.
LOOP_UNIT = "pystack-volume-group.service"


class LVM(Backend):
    """Logical volumes of a volume group of the storage host, offered to other hosts over iSCSI."""

    name = "lvm"

    def settings(self, cloud: Cloud, host: CloudHost) -> Mapping[str, Any]:
        """Return the volume group, what kind of volumes it has, and what offers them where."""
        return {
            "volume_group": cloud.answers["CONFIG_CINDER_VOLUME_NAME"],
            "thin": cloud.answers["CONFIG_CINDER_VOLUMES_THIN"],
            "target_helper": facts(host)["target_helper"],
            "address": address_of(host),
        }

    def resources(self, cloud: Cloud, host: CloudHost) -> Iterable[Resource]:
        """Yield LVM, the volume group, which is made where there is none of its name only, and the iSCSI target."""
        here = facts(host)
        yield from map(Package, here["lvm"])
        yield LvmFilter()
        yield from confinement.resources(here, host)
        yield from _group(cloud, host)
        if here["target_helper"] == "tgtadm":
            yield Directory(TARGETS, USER, USER, 0o750)
            yield File(TGT_INCLUDES, content=f"# Made by pystack.\ninclude {TARGETS}/*\n")
            yield Unit(here["target_unit"], reads=(TGT_INCLUDES,))
            return
        group = cloud.answers["CONFIG_CINDER_VOLUME_NAME"]
        path = f"/etc/systemd/system/{TARGET_UNIT}"
        yield Directory(STATE)
        yield rendered_file(
            path,
            "cinder/target.service.j2",
            home=home(cloud, USER),
            state=STATE,
            volume_group=group,
            restore_unit=here["restore_unit"],
        )
        # Enabled and never started by hand: restoring begins with taking away what there is.
        yield Symlink(f"/etc/systemd/system/multi-user.target.wants/{TARGET_UNIT}", path)

    def at_compute(self, cloud: Cloud, host: CloudHost) -> Iterable[Resource]:
        """Yield the iSCSI initiator, and that LVM of the host does not look inside volumes."""
        return initiator(host)


def _group(cloud: Cloud, host: CloudHost) -> Iterable[Resource]:
    name = str(cloud.answers["CONFIG_CINDER_VOLUME_NAME"])
    devices = tuple(map(str, cloud.answers["CONFIG_CINDER_VOLUMES_DEVICES"]))
    file = f"{FOLDER}/{name}.img"
    if not _is_in(file, cloud, host):
        yield VolumeGroup(name, devices)
        return
    unit = f"/etc/systemd/system/{LOOP_UNIT}"
    yield Directory("/var/lib/pystack")
    yield Directory(FOLDER, mode=0o700)
    size = str(cloud.answers["CONFIG_CINDER_VOLUMES_SIZE"])
    if confinement.is_confined(host):
        yield PolicyPath(f"{FOLDER}/.*", facts(host)["group_label"], below=FOLDER)
    yield Command("volume-group-file", ("truncate", "--size", size, file), creates=file)
    if confinement.is_confined(host):
        yield Label(file)
    yield rendered_file(unit, "cinder/volume-group.service.j2", file=file, volume_group=name)
    yield Unit(LOOP_UNIT)
    yield VolumeGroup(name, file=file)


def _is_in(file: str, cloud: Cloud, host: CloudHost) -> bool:
    """Tell whether the volume group is, or will be, in that file."""
    name = cloud.answers["CONFIG_CINDER_VOLUME_NAME"]
    groups = [group for group in host.facts.get("volume_groups", ()) if group["name"] == name]
    if groups:
        return any(device["file"] == file for group in groups for device in group["devices"].values())
    return bool(cloud.answers["CONFIG_CINDER_VOLUMES_CREATE"] and not cloud.answers["CONFIG_CINDER_VOLUMES_DEVICES"])
