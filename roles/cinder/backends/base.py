"""What every kind of storage is to the rest of Cinder's roles."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import Any, ClassVar

from installer import confinement
from installer.cloud import Cloud, CloudHost
from installer.resources.base import Resource
from installer.resources.command import Command
from installer.resources.kernel_module import KernelModule
from installer.resources.lvm_filter import LvmFilter
from installer.resources.package import Package
from installer.resources.policy import PolicyBoolean
from installer.resources.unit import Unit

USER = "cinder"
#: What Cinder and Nova read the name of a host from, see iscsid(8).
INITIATOR_NAME = "/etc/iscsi/initiatorname.iscsi"


class Backend:
    """A storage that keeps volumes.

    Attributes:
        name: in CONFIG_CINDER_BACKEND; its section in cinder.conf and its volume type have it too.
        reads: paths of what its driver reads beside cinder.conf, whatever the answer file says.
    """

    name: str
    reads: ClassVar[tuple[str, ...]] = ()

    @property
    def template(self) -> str:
        """The template of its section in cinder.conf, below templates/."""
        return f"cinder/{self.name}.conf.j2"

    @property
    def tie(self) -> str:
        """Its ``volume_backend_name``, by which its volume type finds it."""
        return self.name

    def files(self, cloud: Cloud) -> tuple[str, ...]:
        """Return the paths of what its driver reads beside cinder.conf."""
        return self.reads

    def settings(self, cloud: Cloud, host: CloudHost) -> Mapping[str, Any]:
        """Return what its template may name as ``settings``."""
        raise NotImplementedError

    def resources(self, cloud: Cloud, host: CloudHost) -> Iterable[Resource]:
        """Yield what its driver needs on a storage host: packages, files, units."""
        raise NotImplementedError

    def at_compute(self, cloud: Cloud, host: CloudHost) -> Iterable[Resource]:
        """Yield what a host needs whose instances have volumes of it."""
        return ()


def facts(host: CloudHost) -> Mapping[str, Any]:
    """Return what the backends need of a host's platform."""
    return host.platform_facts("cinder")


def initiator(host: CloudHost) -> Iterator[Resource]:
    """Yield what attaches volumes that come over iSCSI, and that LVM of the host does not look inside them.

    Storage hosts need it, too: they copy images into volumes.
    """
    here = facts(host)
    yield Package(here["initiator"])
    if confinement.is_confined(host):
        # The initiator may not load it by itself.
        yield KernelModule("iscsi_tcp")
    if here["initiator_name_unit"]:
        yield Command("initiator-name", ("systemctl", "start", here["initiator_name_unit"]), creates=INITIATOR_NAME)
    yield Unit(here["initiator_unit"])
    yield LvmFilter()


def nfs_client(host: CloudHost) -> Iterator[Resource]:
    """Yield what mounts shares of an NFS server, for instances to read files there."""
    yield from map(Package, facts(host)["nfs"])
    if confinement.is_confined(host):
        yield PolicyBoolean(facts(host)["nfs_boolean"])
