"""What Cinder keeps: volume types, and the storage backends that its scheduler knows of."""

from __future__ import annotations

import dataclasses
import re
from typing import Any, ClassVar, Dict, List, Mapping, Optional, Sequence

from installer.agent.host import Host
from installer.resources import unit
from installer.resources.base import Actual, Resource, State, Unknown
from installer.resources.heard_of import YES, HeardOf, moment, since_start
from installer.resources.json_api import Entity, NoAnswer
from installer.resources.keystone_api import KeystoneApi
from installer.resources.service_api import ServiceClient, service_client

#: The extra spec that ties a volume type to the backends of that name.
TIE = "volume_backend_name"
#: Different errors that a failure shows.
MOST_ERRORS = 8
#: Characters of each: os-brick repeats all that it tried.
LONGEST_ERROR = 300

#: As in: 2026-11-22 15:38:56.078 5645 ERROR cinder.volume.manager [None req-1f11 - - - - - -] Failed to initialize.
_ERROR = re.compile(r"\d{4}-\S+ \S+ \d+ (?:ERROR|CRITICAL) \S+ \[[^\]]*\] (?P<text>.+)")


@dataclasses.dataclass(frozen=True)
class VolumeType(Resource):
    """A volume type that everybody may use, whose volumes one backend keeps. Its further extra specs are left alone.

    Args:
        keystone: where Keystone is, and its administrator.
        url: address of the volume API, with its version.
        type: the type's name.
        backend: the backend's ``volume_backend_name``.
    """

    kind: ClassVar[str] = "volume-type"

    keystone: KeystoneApi
    url: str
    type: str
    backend: str

    @property
    def name(self) -> str:
        return self.type

    def expected(self) -> State:
        return {TIE: self.backend}

    @classmethod
    def query(cls, resources: Sequence[VolumeType], host: Host) -> Dict[str, Actual]:
        try:
            found = {url: types(client) for url, client in _clients(resources, host).items()}
        except NoAnswer as problem:
            return {resource.id: Unknown(str(problem)) for resource in resources}
        return {resource.id: resource.state(found[resource.url]) for resource in resources}

    def state(self, found: Sequence[Entity]) -> Actual:
        """Return the state among all types that Cinder has."""
        own = self._own(found)
        return None if own is None else {TIE: own.get("extra_specs", {}).get(TIE)}

    def fix(self, actual: Actual, host: Host) -> None:
        client = _client(self, host)
        own = self._own(types(client))
        specs = {"extra_specs": {TIE: self.backend}}
        if own is None:
            client.post("/types", {"volume_type": {"name": self.type, **specs}})
        else:
            client.post(f"/types/{own['id']}/extra_specs", specs)

    def _own(self, found: Sequence[Entity]) -> Optional[Entity]:
        return next((entity for entity in found if entity["name"] == self.type), None)


@dataclasses.dataclass(frozen=True)
class VolumeBackend(HeardOf, Resource):
    """A storage backend whose driver works: it has told Cinder's scheduler what it has. The fix is to wait for it.

    That the unit is active, or that Cinder shows its service as up, proves nothing: both are so for a minute after a
    start, even when the driver could not be set up.

    Args:
        keystone: where Keystone is, and its administrator.
        url: address of the volume API, with its version.
        host: name by which Cinder knows the host.
        backend: the backend's section in cinder.conf.
        unit: the systemd unit that runs it, on this host.
        limit: seconds to wait for it.
    """

    kind: ClassVar[str] = "volume-backend"

    keystone: KeystoneApi
    url: str
    host: str
    backend: str
    unit: str
    limit: float = 120.0

    @property
    def name(self) -> str:
        return f"{self.host}@{self.backend}"

    @property
    def title(self) -> str:
        return self.name

    @classmethod
    def found(cls, client: ServiceClient) -> List[Entity]:
        pools: List[Entity] = client.get("/scheduler-stats/get_pools?detail=true")["pools"]
        return pools

    def words(self, found: Sequence[Entity], shown: Mapping[str, str]) -> str:
        told = [
            moment(str(pool["capabilities"]["timestamp"]))
            for pool in found
            if pool["name"].partition("#")[0] == self.name
        ]
        if not told:
            return "the scheduler has not heard of it"
        return YES if since_start(max(told), shown) else "the scheduler has not heard of it since it was started"

    def hopeless(self, shown: Mapping[str, str], host: Host) -> str:
        failed = super().hopeless(shown, host)
        return failed or ("its driver could not be set up" if gave_up(self._journal(shown, host), self.name) else "")

    def diagnose(self, host: Host) -> List[str]:
        (shown,) = unit.show([self.unit], host).values()
        return errors(self._journal(shown, host)) or unit.Unit(self.unit).diagnose(host)

    def _journal(self, shown: Mapping[str, str], host: Host) -> str:
        """Return what the unit has written to the journal since it was started."""
        began = int(unit.started(shown, reload=False) or 0)
        argv = ["journalctl", f"--unit={self.unit}", f"--since=@{began}", "--no-pager", "--output=cat"]
        return host.run(argv, expect=None, timeout=20).out


def gave_up(journal: str, name: str) -> bool:
    """Tell whether cinder-volume says that it does not try any more to set up a driver (cinder/service.py).

    Args:
        journal: what it has written since its start.
        name: of the backend, ``host@backend``.
    """
    return f"Manager for service cinder-volume {name} is reporting problems" in journal


def errors(journal: str) -> List[str]:
    """Return what oslo.log has written as errors, each once, without what surrounds it and without traces."""
    found: Dict[str, None] = {}
    for line in journal.splitlines():
        parts = _ERROR.match(line)
        if parts and not parts.group("text").startswith(("Traceback ", "Manager for service")):
            found[parts.group("text")] = None
    return [text if len(text) <= LONGEST_ERROR else f"{text[:LONGEST_ERROR]}…" for text in list(found)[-MOST_ERRORS:]]


def types(client: ServiceClient) -> List[Entity]:
    """Return all volume types, private ones too."""
    found: List[Entity] = client.get("/types?is_public=None")["volume_types"]
    return found


def _client(resource: Any, host: Host) -> ServiceClient:
    return service_client(resource.keystone, resource.url, host)


def _clients(resources: Sequence[Any], host: Host) -> Dict[str, ServiceClient]:
    return {resource.url: _client(resource, host) for resource in resources}
