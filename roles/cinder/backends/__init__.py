"""The storage backends that Cinder can have: for each kind a module, a row of ``BACKENDS`` and a template."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from installer.cloud import Cloud, CloudHost
from installer.resources.base import Resource
from roles.cinder.backends.base import USER, Backend, facts
from roles.cinder.backends.ceph import Ceph
from roles.cinder.backends.lvm import LVM
from roles.cinder.backends.netapp import NetApp
from roles.cinder.backends.nfs import NFS
from roles.cinder.backends.options import described
from roles.cinder.backends.solidfire import SolidFire

__all__ = ["BACKENDS", "USER", "Backend", "at_compute", "facts", "needed", "wanted"]

BACKENDS: dict[str, Backend] = {backend.name: backend for backend in (LVM(), NFS(), NetApp(), SolidFire(), Ceph())}


def wanted(cloud: Cloud) -> tuple[Backend, ...]:
    """Return the backends that the answer file asks for, in its order; the first has the default volume type."""
    known = {**described(cloud), **BACKENDS}
    return tuple(known[str(name)] for name in cloud.answers["CONFIG_CINDER_BACKEND"])


def needed(cloud: Cloud, host: CloudHost) -> Iterable[Resource]:
    """Return what all backends need on a storage host, each thing once."""
    return _once(item for backend in wanted(cloud) for item in backend.resources(cloud, host))


def at_compute(cloud: Cloud, host: CloudHost) -> Iterable[Resource]:
    """Return what a host needs whose instances have volumes, each thing once."""
    return _once(item for backend in wanted(cloud) for item in backend.at_compute(cloud, host))


def _once(resources: Iterable[Resource]) -> Iterator[Resource]:
    found: dict[str, Resource] = {}
    for item in resources:
        if found.setdefault(item.id, item) is item or found[item.id] != item:
            yield item
