"""A compute host that Nova hears from."""

from __future__ import annotations

import dataclasses
from typing import ClassVar, List, Mapping, Optional, Sequence

from installer.agent.host import Host
from installer.resources import unit
from installer.resources.base import Resource
from installer.resources.heard_of import YES, HeardOf, moment, since_start
from installer.resources.json_api import Entity
from installer.resources.keystone_api import KeystoneApi
from installer.resources.service_api import ServiceClient


@dataclasses.dataclass(frozen=True)
class ComputeService(HeardOf, Resource):
    """The nova-compute of a host, which Nova has heard from since it was started. The fix is to wait for it.

    An active unit proves nothing: nova-compute waits for the message queue and for libvirt as long as it takes.

    Args:
        keystone: where Keystone is, and its administrator.
        url: address of the compute API, with its version.
        host: the name by which Nova knows the host.
        unit: the systemd unit, on this host.
        limit: seconds to wait for it.
    """

    kind: ClassVar[str] = "compute-service"

    keystone: KeystoneApi
    url: str
    host: str
    unit: str
    limit: float = 120.0

    @property
    def name(self) -> str:
        return self.host

    @property
    def title(self) -> str:
        return "nova-compute"

    @classmethod
    def found(cls, client: ServiceClient) -> List[Entity]:
        services: List[Entity] = client.get("/os-services?binary=nova-compute")["services"]
        return services

    def words(self, found: Sequence[Entity], shown: Mapping[str, str]) -> str:
        own: Optional[Entity] = next((one for one in found if one["host"] == self.host), None)
        if own is None:
            return "Nova has not heard of it"
        heard = own["updated_at"]
        if not since_start(moment(heard) if heard else None, shown):
            return "Nova has not heard of it since it was started"
        return YES if own["state"] == "up" else f"Nova has heard of it last at {heard} UTC"

    def diagnose(self, host: Host) -> List[str]:
        return unit.Unit(self.unit).diagnose(host)
