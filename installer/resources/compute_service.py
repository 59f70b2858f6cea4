"""A compute host that Nova hears from."""

from __future__ import annotations

import dataclasses
import datetime
import time
from typing import ClassVar, Dict, List, Mapping, Optional, Sequence

from installer.agent.host import Host
from installer.resources import unit
from installer.resources.base import Actual, CannotFix, Resource, State, Unknown
from installer.resources.keystone_api import KeystoneApi, NoAnswer
from installer.resources.service_api import Entity, ServiceClient, service_client

YES = "yes"
#: Seconds between two looks while waiting, and between two lines of progress.
PAUSE, TELL = 1.0, 5.0
#: How far the clocks of two hosts may be apart, in seconds.
CLOCKS = 5.0


@dataclasses.dataclass(frozen=True)
class ComputeService(Resource):
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

    def expected(self) -> State:
        return {"works": YES}

    @classmethod
    def query(cls, resources: Sequence[ComputeService], host: Host) -> Dict[str, Actual]:
        shown = unit.show([resource.unit for resource in resources], host)
        return {resource.id: resource.look(shown[resource.unit], host) for resource in resources}

    def look(self, shown: Mapping[str, str], host: Host) -> Actual:
        """Return the actual state, given what systemctl shows of the unit."""
        try:
            return {"works": self.words(services(self._client(host)), shown)}
        except NoAnswer as problem:
            return Unknown(str(problem))

    def words(self, found: Sequence[Entity], shown: Mapping[str, str]) -> str:
        """Return ``yes``, or in words what is seen instead.

        Args:
            found: the services that Nova knows of.
            shown: what systemctl shows of the unit.
        """
        own: Optional[Entity] = next((one for one in found if one["host"] == self.host), None)
        if own is None:
            return "Nova has not heard of it"
        began = unit.started(shown, reload=False)
        if began is not None and heard_at(own) + CLOCKS < began:
            return "Nova has not heard of it since it was started"
        return YES if own["state"] == "up" else f"Nova has heard of it last at {own['updated_at']} UTC"

    def fix(self, actual: Actual, host: Host) -> None:
        begun = told = time.monotonic()
        while True:
            (shown,) = unit.show([self.unit], host).values()
            state = self.look(shown, host)
            if state == self.expected():
                return
            seen = state.reason if isinstance(state, Unknown) else (state or {})["works"]
            now = time.monotonic()
            if shown["ActiveState"] == "failed":
                raise CannotFix(f"nova-compute does not work ({seen}), because {self.unit} has failed")
            if now - begun > self.limit:
                raise CannotFix(f"nova-compute did not work within {self.limit:.0f} s; last seen: {seen}")
            if now - told > TELL:
                told = now
                host.progress(f"waiting for nova-compute: {seen}")
            time.sleep(PAUSE)

    def diagnose(self, host: Host) -> List[str]:
        return unit.Unit(self.unit).diagnose(host)

    def _client(self, host: Host) -> ServiceClient:
        return service_client(self.keystone, self.url, host)


def services(client: ServiceClient) -> List[Entity]:
    """Return the compute services that Nova knows of, in all cells."""
    found: List[Entity] = client.get("/os-services?binary=nova-compute")["services"]
    return found


def heard_at(service: Entity) -> float:
    """Return when Nova heard from a service last, in seconds since 1970; it writes UTC without saying so."""
    text = service["updated_at"]
    if text is None:
        return 0.0
    return datetime.datetime.fromisoformat(text).replace(tzinfo=datetime.timezone.utc).timestamp()
