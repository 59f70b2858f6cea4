"""Clusters of SolidFire."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from installer.cloud import Cloud, CloudHost
from installer.resources.base import Resource
from roles.cinder.backends.base import Backend, initiator


class SolidFire(Backend):
    """Volumes of a cluster, reached over iSCSI."""

    name = "solidfire"

    def settings(self, cloud: Cloud, host: CloudHost) -> Mapping[str, Any]:
        """Return where the cluster is, and its user."""
        names = ("hostname", "login", "password")
        return {name: cloud.answers[f"CONFIG_CINDER_SOLIDFIRE_{name.upper()}"] for name in names}

    def resources(self, cloud: Cloud, host: CloudHost) -> Iterable[Resource]:
        """Yield the iSCSI initiator."""
        return initiator(host)

    def at_compute(self, cloud: Cloud, host: CloudHost) -> Iterable[Resource]:
        """Yield the iSCSI initiator."""
        return initiator(host)
