"""A service that answers: a named condition that is waited for, with a limit."""

from __future__ import annotations

import dataclasses
import socket
import ssl
import time
import urllib.error
import urllib.request
from concurrent.futures import ThreadPoolExecutor
from typing import Any, ClassVar, Dict, List, Optional, Sequence, Tuple

from installer.agent.host import Host
from installer.resources import unit
from installer.resources.base import Actual, CannotFix, Resource, State
from installer.resources.json_api import words

#: Seconds that one probe takes at most. The first request to each process of a dashboard took 2.5 on a busy host, and
#: it is up all the same.
PROBE = 10.0
#: Seconds between two probes while waiting, and between two lines of progress.
PAUSE, TELL = 0.5, 5.0
#: Good probes in a row that count: behind a load balancer the first may have met the one server that is ready.
IN_A_ROW = 2
YES = "yes"


@dataclasses.dataclass(frozen=True)
class Answering(Resource):
    """A service that answers at a URL or accepts connections at a TCP port. The fix is to wait for it.

    Args:
        title: what answers, such as ``keystone``.
        url: http or https; asked directly, past any proxy, and redirections are not followed.
        tcp: ``host:port`` (IPv6 in brackets), instead of ``url``.
        status: the HTTP status codes that are fine; 300 is what many OpenStack services say at ``/``.
        ca: path of the CA certificate that the server's must come from; default: those that the host trusts.
        limit: seconds to wait for it.
        unit: the systemd unit behind it: when it fails, waiting ends at once, and its journal is shown.
    """

    kind: ClassVar[str] = "answering"

    title: str
    url: Optional[str] = None
    tcp: Optional[str] = None
    status: Tuple[int, ...] = (200, 300)
    ca: Optional[str] = None
    limit: float = 180.0
    unit: Optional[str] = None

    def __post_init__(self) -> None:
        if bool(self.url) == bool(self.tcp):
            raise ValueError(f"answering {self.title}: exactly one of url and tcp must be given")

    @property
    def name(self) -> str:
        return self.title

    def expected(self) -> State:
        return {"answers": YES}

    @classmethod
    def query(cls, resources: Sequence[Answering], host: Host) -> Dict[str, Actual]:
        with ThreadPoolExecutor(max_workers=max(1, len(resources))) as pool:
            seen = list(pool.map(lambda resource: resource.probe(), resources))
        return {resource.id: {"answers": words} for resource, words in zip(resources, seen)}

    def probe(self) -> str:
        """Return ``yes``, or in words what was seen instead. Takes ``PROBE`` seconds at most per address."""
        try:
            return _probe_tcp(self.tcp) if self.tcp else self._probe_url()
        except FileNotFoundError:
            return f"there is no CA certificate {self.ca}"
        except Exception as problem:
            return words(problem, PROBE)

    def _probe_url(self) -> str:
        context = ssl.create_default_context(cafile=self.ca) if (self.url or "").startswith("https:") else None
        handlers: List[Any] = [urllib.request.ProxyHandler({}), _NoRedirect()]
        if context:
            handlers.append(urllib.request.HTTPSHandler(context=context))
        try:
            with urllib.request.build_opener(*handlers).open(self.url or "", timeout=PROBE) as reply:
                code = reply.status
        except urllib.error.HTTPError as reply:
            with reply:
                code = reply.code
        return YES if code in self.status else f"HTTP status {code}"

    def fix(self, actual: Actual, host: Host) -> None:
        begun = told = time.monotonic()
        good, seen = 0, ""
        while good < IN_A_ROW:
            seen = self.probe()
            good = good + 1 if seen == YES else 0
            now = time.monotonic()
            if good == 0 and now - begun > self.limit:
                raise CannotFix(f"{self._where()} did not answer within {self.limit:.0f} s; last seen: {seen}")
            if good == 0 and now - told > TELL:
                told = now
                host.progress(f"waiting for {self._where()}: {seen}")
                self._give_up_on_a_failed_unit(seen, host)
            if good < IN_A_ROW:
                time.sleep(PAUSE)

    def diagnose(self, host: Host) -> List[str]:
        return unit.Unit(self.unit).diagnose(host) if self.unit else []

    def _give_up_on_a_failed_unit(self, seen: str, host: Host) -> None:
        if self.unit and host.run(["systemctl", "is-failed", "--quiet", self.unit], expect=None).code == 0:
            raise CannotFix(f"{self._where()} does not answer ({seen}), because {self.unit} has failed")

    def _where(self) -> str:
        return f"{self.title} at {self.url or self.tcp}"


class _NoRedirect(urllib.request.HTTPRedirectHandler):
    def redirect_request(self, *_: Any, **__: Any) -> None:
        """Let the redirection be the answer."""


def _probe_tcp(where: str) -> str:
    host, _, port = where.rpartition(":")
    with socket.create_connection((host.strip("[]"), int(port)), timeout=PROBE):
        return YES
