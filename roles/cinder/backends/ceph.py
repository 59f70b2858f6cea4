"""Block devices of a Ceph cluster (RBD)."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from installer.cloud import Cloud, CloudHost
from installer.resources.base import Resource
from installer.resources.libvirt_secret import LibvirtSecret
from installer.resources.package import Package
from installer.resources.secret import Secret
from roles.ceph import client
from roles.cinder.backends.base import USER, Backend
from roles.libvirt import role as libvirt


class Ceph(Backend):
    """Images of a pool; the QEMU of an instance talks to the cluster itself."""

    name = "ceph"

    def settings(self, cloud: Cloud, host: CloudHost) -> Mapping[str, Any]:
        """Return pool, user, and where the cluster's configuration is."""
        return {
            "pool": cloud.answers["CONFIG_CINDER_CEPH_POOL"],
            "user": cloud.answers["CONFIG_CINDER_CEPH_USER"],
            "secret": secret_uuid(cloud),
            "configuration": client.configuration(USER),
        }

    def resources(self, cloud: Cloud, host: CloudHost) -> Iterable[Resource]:
        """Yield what makes cinder-volume a client of the cluster, and cinder-backup if it keeps backups there."""
        return client.resources(cloud, host, USER, logins(cloud))

    def files(self, cloud: Cloud) -> tuple[str, ...]:
        """Return where monitors and keys stand."""
        return client.reads(USER)

    def at_compute(self, cloud: Cloud, host: CloudHost) -> Iterable[Resource]:
        """Yield QEMU's part for Ceph, and the key, which libvirt gives to it."""
        yield from map(Package, libvirt.ROLE.facts(host)["rbd"])
        user, key = cloud.answers["CONFIG_CINDER_CEPH_USER"], cloud.answers["CONFIG_CINDER_CEPH_KEY"]
        yield LibvirtSecret(secret_uuid(cloud), f"client.{user} of pystack", key)


def secret_uuid(cloud: Cloud) -> str:
    """Return the name under which libvirt keeps the key."""
    return str(cloud.answers["CONFIG_CINDER_CEPH_SECRET_UUID"])


def logins(cloud: Cloud) -> dict[str, Secret]:
    """Return the users that Cinder has at the cluster, with their keys."""
    answers = cloud.answers
    found: dict[str, Secret] = {}
    if "ceph" in answers["CONFIG_CINDER_BACKEND"]:
        found[str(answers["CONFIG_CINDER_CEPH_USER"])] = answers["CONFIG_CINDER_CEPH_KEY"]
    if answers["CONFIG_CINDER_BACKUP"] == "ceph":
        found[str(answers["CONFIG_CINDER_BACKUP_CEPH_USER"])] = answers["CONFIG_CINDER_BACKUP_CEPH_KEY"]
    return found
