"""Logical volumes of a volume group."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from installer.addresses import address_of
from installer.cloud import Cloud, CloudHost
from installer.resources.base import Resource
from installer.resources.file import Directory, File
from installer.resources.package import Package
from installer.resources.unit import Unit
from roles.cinder.backends.base import USER, Backend, facts

#: Where tgt looks for what to offer, and where Cinder writes that.
TGT_INCLUDES, TARGETS = "/etc/tgt/conf.d/pystack.conf", "/var/lib/cinder/volumes"


class LVM(Backend):
    """Logical volumes of a volume group of the storage host, offered to other hosts over iSCSI."""

    name = "lvm"

    def settings(self, cloud: Cloud, host: CloudHost) -> Mapping[str, Any]:
        """Return the volume group, and what offers its volumes where."""
        return {
            "volume_group": cloud.answers["CONFIG_CINDER_VOLUME_NAME"],
            "target_helper": facts(host)["target_helper"],
            "address": address_of(host),
        }

    def resources(self, cloud: Cloud, host: CloudHost) -> Iterable[Resource]:
        """Yield LVM and the iSCSI target. The volume group is its owner's: preflight looks for it, nothing makes it."""
        here = facts(host)
        yield from map(Package, here["lvm"])
        reads = []
        if here["target_helper"] == "tgtadm":
            yield Directory(TARGETS, USER, USER, 0o750)
            yield File(TGT_INCLUDES, content=f"# Made by pystack.\ninclude {TARGETS}/*\n")
            reads.append(TGT_INCLUDES)
        yield Unit(here["target_unit"], reads=tuple(reads))
