"""The storage backends that Cinder can have: a class, a row of ``BACKENDS`` and a template each."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any, ClassVar

from installer.addresses import address_of
from installer.cloud import Cloud, CloudHost
from installer.paths import ROLES
from installer.platforms import merged_facts
from installer.render import rendered_file
from installer.resources.base import Resource
from installer.resources.file import Directory, File
from installer.resources.package import Package
from installer.resources.unit import Unit

USER = "cinder"
SHARES = "/etc/cinder/nfs_shares"
#: Where tgt looks for what to offer, and where Cinder writes that.
TGT_INCLUDES, TARGETS = "/etc/tgt/conf.d/pystack.conf", "/var/lib/cinder/volumes"


class Backend:
    """A kind of storage.

    Class attributes:
        name: in CONFIG_CINDER_BACKEND; its section in cinder.conf, ``volume_backend_name`` and volume type have it too.
        reads: paths of what its driver reads beside cinder.conf.
    """

    name: ClassVar[str]
    reads: ClassVar[tuple[str, ...]] = ()

    def settings(self, cloud: Cloud, host: CloudHost) -> Mapping[str, Any]:
        """Return what its template, ``cinder/<name>.conf.j2``, may name as ``settings``."""
        raise NotImplementedError

    def resources(self, cloud: Cloud, host: CloudHost) -> Iterable[Resource]:
        """Yield what its driver needs on a storage host: packages, files, units."""
        raise NotImplementedError


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


class NFS(Backend):
    """Files on shares of an NFS server, which compute hosts mount too."""

    name = "nfs"
    reads = (SHARES,)

    def settings(self, cloud: Cloud, host: CloudHost) -> Mapping[str, Any]:
        """Return where the shares are listed."""
        return {"shares": SHARES}

    def resources(self, cloud: Cloud, host: CloudHost) -> Iterable[Resource]:
        """Yield the NFS client and the list of shares; the driver mounts them."""
        yield from map(Package, facts(host)["nfs"])
        shares = [str(share) for share in cloud.answers["CONFIG_CINDER_NFS_MOUNTS"]]
        yield rendered_file(SHARES, "cinder/nfs_shares.j2", group=USER, mode=0o640, shares=shares)


BACKENDS: dict[str, Backend] = {backend.name: backend for backend in (LVM(), NFS())}


def facts(host: CloudHost) -> Mapping[str, Any]:
    """Return what the backends need of a host's platform."""
    return merged_facts(ROLES / "cinder" / "platforms.yaml", host.platform)


def wanted(cloud: Cloud) -> tuple[Backend, ...]:
    """Return the backends that the answer file asks for, in its order; the first has the default volume type."""
    names = dict.fromkeys(str(name) for name in cloud.answers["CONFIG_CINDER_BACKEND"])
    return tuple(BACKENDS[name] for name in names)
