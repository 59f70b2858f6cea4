"""The storage backends that Cinder can have: for each kind a module, a row of ``BACKENDS`` and a template."""

from __future__ import annotations

from installer.cloud import Cloud
from roles.cinder.backends.base import USER, Backend, facts
from roles.cinder.backends.lvm import LVM
from roles.cinder.backends.nfs import NFS

__all__ = ["BACKENDS", "USER", "Backend", "facts", "wanted"]

BACKENDS: dict[str, Backend] = {backend.name: backend for backend in (LVM(), NFS())}


def wanted(cloud: Cloud) -> tuple[Backend, ...]:
    """Return the backends that the answer file asks for, in its order; the first has the default volume type."""
    names = dict.fromkeys(str(name) for name in cloud.answers["CONFIG_CINDER_BACKEND"])
    return tuple(BACKENDS[name] for name in names)
