"""The storage backends that Cinder can have: for each kind a module, a row of ``BACKENDS`` and a template."""

from __future__ import annotations

from collections.abc import Iterable

from installer.cloud import Cloud, CloudHost
from installer.resources.base import Resource
from roles.cinder.backends.base import USER, Backend, facts
from roles.cinder.backends.ceph import Ceph
from roles.cinder.backends.lvm import LVM
from roles.cinder.backends.netapp import NetApp
from roles.cinder.backends.nfs import NFS
from roles.cinder.backends.options import described
from roles.cinder.backends.solidfire import SolidFire

__all__ = ["BACKENDS", "USER", "Backend", "facts", "needed", "on_compute", "wanted"]

BACKENDS: dict[str, Backend] = {backend.name: backend for backend in (LVM(), NFS(), NetApp(), SolidFire(), Ceph())}


def wanted(cloud: Cloud) -> tuple[Backend, ...]:
    """Return the backends that the answer file asks for, in its order; the first has the default volume type."""
    known = {**described(cloud), **BACKENDS}
    return tuple(known[str(name)] for name in cloud.answers["CONFIG_CINDER_BACKEND"])


def needed(cloud: Cloud, host: CloudHost) -> Iterable[Resource]:
    """Return what all backends need on a storage host, each thing once."""
    return _once(item for backend in wanted(cloud) for item in backend.resources(cloud, host))


def on_compute(cloud: Cloud, host: CloudHost) -> Iterable[Resource]:
    """Return what a host that runs instances needs to connect to volumes, each thing once."""
    if not cloud.answers["CONFIG_CINDER_INSTALL"]:
        return ()
    return _once(item for backend in wanted(cloud) for item in backend.on_compute(cloud, host))


def _once(resources: Iterable[Resource]) -> Iterable[Resource]:
    return {item.id: item for item in resources}.values()
