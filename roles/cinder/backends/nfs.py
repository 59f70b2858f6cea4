"""Shares of an NFS server."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from installer.cloud import Cloud, CloudHost
from installer.render import rendered_file
from installer.resources.base import Resource
from installer.resources.package import Package
from roles.cinder.backends.base import USER, Backend, facts, nfs_client

SHARES = "/etc/cinder/nfs_shares"


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

    def at_compute(self, cloud: Cloud, host: CloudHost) -> Iterable[Resource]:
        """Yield the NFS client: nova-compute mounts the shares, and instances read files there."""
        return nfs_client(host)
