"""The volume service, as far as storage hosts have it: the backends, and backups."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from installer.cloud import Cloud, CloudHost
from installer.ports import PORTS
from installer.resources.base import Resource
from installer.resources.file import Directory
from installer.resources.package import Package
from installer.resources.unit import Unit
from installer.resources.volume import VolumeBackend, VolumeType
from installer.roles import Role
from roles import service
from roles.ceph import client
from roles.cinder import backends, configuration
from roles.cinder.backends import USER
from roles.cinder.backends.ceph import logins
from roles.cinder.role import url

VOLUME = "openstack-cinder-volume.service"
BACKUP = "openstack-cinder-backup.service"
#: Where a storage host offers volumes to others over iSCSI, and the programs that hold that port; Linux itself holds
#: it without any.
ISCSI = {PORTS["iscsi"]: ("tgtd", "?")}


class CinderVolume(Role):
    """cinder-volume with all backends of the answer file, a volume type for each, and cinder-backup."""

    name = "cinder_volume"
    title = "Storage of volumes (Cinder)"
    groups = ("storage",)
    after = ("cinder", "catalogue")
    after_here = ("openstack", "tls")
    units = (VOLUME, BACKUP)
    services = (USER,)

    def wanted(self, cloud: Cloud) -> bool:
        return bool(cloud.answers["CONFIG_CINDER_INSTALL"])

    def ports(self, cloud: Cloud, host: CloudHost) -> Mapping[int, tuple[str, ...]]:
        return ISCSI if any(backend.name == "lvm" for backend in backends.wanted(cloud)) else {}

    def resources(self, cloud: Cloud, host: CloudHost) -> Iterable[Resource]:
        yield from configuration.resources(cloud, host)
        yield from service.root_rights(cloud, USER)
        yield Package(backends.facts(host)["images"])
        yield from backends.needed(cloud, host)
        yield from self._backup_place(cloud, host)
        yield from service.units_last(self._units(cloud))
        keystone = service.keystone(cloud)
        for backend in backends.wanted(cloud):
            yield VolumeType(keystone, url(cloud), backend.name, backend.tie)
        for backend in backends.wanted(cloud):
            yield VolumeBackend(keystone, url(cloud), str(host.facts.get("hostname", "")), backend.name, VOLUME)

    def _daemon(self, cloud: Cloud, unit: str, program: str) -> Iterable[Resource]:
        reads = [path for backend in backends.wanted(cloud) for path in backend.files(cloud)]
        if (configuration.backup(cloud) or {}).get("kind") == "ceph":
            reads += client.reads(USER)
        return service.daemon(
            cloud,
            USER,
            unit=unit,
            command=(program, *service.arguments(USER, configuration.PATH)),
            reads=(configuration.PATH, *dict.fromkeys(reads)),
            privileged=True,
        )

    def _units(self, cloud: Cloud) -> Iterable[Resource]:
        yield from self._daemon(cloud, VOLUME, "cinder-volume")
        if configuration.backup(cloud):
            yield from self._daemon(cloud, BACKUP, "cinder-backup")
        else:
            yield Unit(BACKUP, enabled=False, active=False)

    def _backup_place(self, cloud: Cloud, host: CloudHost) -> Iterable[Resource]:
        backup = configuration.backup(cloud)
        if backup and backup["kind"] == "posix":
            yield Directory(backup["place"], USER, USER, 0o750)
        elif backup and backup["kind"] == "nfs":
            yield from map(Package, backends.facts(host)["nfs"])
        elif backup and not any(backend.name == "ceph" for backend in backends.wanted(cloud)):
            yield from client.resources(cloud, host, USER, logins(cloud))


ROLE = CinderVolume()
