"""Storage systems of NetApp with ONTAP."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from installer.cloud import Cloud, CloudHost
from installer.render import rendered_file
from installer.resources.base import Resource
from roles.cinder.backends.base import USER, Backend, initiator, nfs_client

#: What the template calls a parameter, and the parameter without CONFIG_CINDER_NETAPP_.
PARAMETERS = {
    "family": "STORAGE_FAMILY",
    "protocol": "STORAGE_PROTOCOL",
    "transport": "TRANSPORT_TYPE",
    "hostname": "HOSTNAME",
    "port": "SERVER_PORT",
    "login": "LOGIN",
    "password": "PASSWORD",
    "vserver": "VSERVER",
    "multiplier": "SIZE_MULTIPLIER",
    "volumes": "VOLUME_LIST",
    "shares": "NFS_SHARES_CONFIG",
    "expiry": "EXPIRY_THRES_MINUTES",
    "start": "THRES_AVL_SIZE_PERC_START",
    "stop": "THRES_AVL_SIZE_PERC_STOP",
}


class NetApp(Backend):
    """LUNs or files of a storage virtual machine, reached over iSCSI or NFS."""

    name = "netapp"

    def settings(self, cloud: Cloud, host: CloudHost) -> Mapping[str, Any]:
        """Return the parameters."""
        return {key: _answer(cloud, name) for key, name in PARAMETERS.items()}

    def resources(self, cloud: Cloud, host: CloudHost) -> Iterable[Resource]:
        """Yield the client of the protocol, and for NFS the list of shares; the driver mounts them."""
        yield from self.at_compute(cloud, host)
        if _answer(cloud, "STORAGE_PROTOCOL") == "nfs":
            shares = [str(share) for share in _answer(cloud, "NFS_SHARES")]
            path = str(_answer(cloud, "NFS_SHARES_CONFIG"))
            yield rendered_file(path, "cinder/netapp_shares.j2", group=USER, mode=0o640, shares=shares)

    def files(self, cloud: Cloud) -> tuple[str, ...]:
        """Return where the shares are listed."""
        nfs = _answer(cloud, "STORAGE_PROTOCOL") == "nfs"
        return (str(_answer(cloud, "NFS_SHARES_CONFIG")),) if nfs else ()

    def at_compute(self, cloud: Cloud, host: CloudHost) -> Iterable[Resource]:
        """Yield the client of the protocol."""
        if _answer(cloud, "STORAGE_PROTOCOL") == "nfs":
            return nfs_client(host)
        return initiator(host)


def _answer(cloud: Cloud, name: str) -> Any:
    return cloud.answers[f"CONFIG_CINDER_NETAPP_{name}"]
