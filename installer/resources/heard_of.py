"""What services that wait for others have in common: they work once those have heard of them since their start."""

from __future__ import annotations

import datetime
import time
from typing import Any, Dict, List, Mapping, Optional, Sequence, Union

from installer.agent.host import Host
from installer.resources import unit
from installer.resources.base import Actual, CannotFix, State, Unknown
from installer.resources.json_api import Entity, NoAnswer
from installer.resources.keystone_api import KeystoneApi
from installer.resources.service_api import ServiceClient, service_client

YES = "yes"
#: Seconds between two looks while waiting, and between two lines of progress.
PAUSE, TELL = 1.0, 5.0
#: How far the clocks of two hosts may be apart, in seconds.
CLOCKS = 5.0


class HeardOf:
    """A unit of this host that an API must have heard of since it was started. The fix is to wait for it.

    That the unit is active proves nothing: it may wait for others, or its driver may not have come up. One that has run
    for as long as is waited, in vain, is started again first: what it failed at may have been put right since, and
    services of OpenStack do not all try again.
    """

    keystone: KeystoneApi
    url: str
    #: The systemd unit.
    unit: str
    #: Seconds to wait.
    limit: float

    @property
    def title(self) -> str:
        """What works or does not, in words."""
        raise NotImplementedError

    @classmethod
    def found(cls, client: ServiceClient) -> List[Entity]:
        """Return all that the API has heard of.

        Raises:
            NoAnswer: it cannot be asked.
        """
        raise NotImplementedError

    def words(self, found: Sequence[Entity], shown: Mapping[str, str]) -> str:
        """Return ``yes``, or in words what is seen instead.

        Args:
            found: what the API has heard of.
            shown: what systemctl shows of the unit.
        """
        raise NotImplementedError

    def hopeless(self, shown: Mapping[str, str], host: Host) -> str:
        """Return in words why waiting is in vain; empty: it is not known to be."""
        return f"{self.unit} has failed" if shown["ActiveState"] == "failed" else ""

    def expected(self) -> State:
        return {"works": YES}

    @classmethod
    def query(cls, resources: Sequence[Any], host: Host) -> Dict[str, Actual]:
        shown = unit.show([resource.unit for resource in resources], host)
        # All backends of a host are found in one answer.
        told = {url: one.ask(host) for url, one in {resource.url: resource for resource in resources}.items()}
        return {resource.id: resource.state(told[resource.url], shown[resource.unit]) for resource in resources}

    def ask(self, host: Host) -> Union[List[Entity], Unknown]:
        """Return all that the API has heard of, or why it cannot be asked."""
        try:
            return self.found(service_client(self.keystone, self.url, host))
        except NoAnswer as problem:
            return Unknown(str(problem))

    def state(self, told: Union[List[Entity], Unknown], shown: Mapping[str, str]) -> Actual:
        """Return the actual state, given what the API said and what systemctl shows of the unit."""
        return told if isinstance(told, Unknown) else {"works": self.words(told, shown)}

    def fix(self, actual: Actual, host: Host) -> None:
        begun = told = time.monotonic()
        self._start_again(actual, host)
        while True:
            (shown,) = unit.show([self.unit], host).values()
            state = self.state(self.ask(host), shown)
            if state == self.expected():
                return
            seen = state.reason if isinstance(state, Unknown) else (state or {})["works"]
            reason = self.hopeless(shown, host)
            if reason:
                raise CannotFix(f"{self.title} does not work, because {reason}; last seen: {seen}")
            now = time.monotonic()
            if now - begun > self.limit:
                raise CannotFix(f"{self.title} did not work within {self.limit:.0f} s; last seen: {seen}")
            if now - told > TELL:
                told = now
                host.progress(f"waiting for {self.title}: {seen}")
            time.sleep(PAUSE)

    def _start_again(self, actual: Actual, host: Host) -> None:
        (shown,) = unit.show([self.unit], host).values()
        began = unit.started(shown, reload=False)
        if isinstance(actual, Unknown) or shown["ActiveState"] != "active" or began is None:
            return
        running = time.time() - began
        if running > self.limit:
            host.progress(f"{self.title} has run for {running:.0f} s in vain: starting it again")
            # One that does not come up at once may do so when systemd starts it again; if not, that is seen below.
            host.run(["systemctl", "restart", "--", self.unit], expect=(0, 1))


def since_start(heard: Optional[float], shown: Mapping[str, str]) -> bool:
    """Tell whether something was heard since a unit was started.

    Args:
        heard: when, in seconds since 1970, by the clock of another host; None: never.
        shown: what systemctl shows of the unit.
    """
    began = unit.started(shown, reload=False)
    return began is None or (heard or 0.0) + CLOCKS >= began


def moment(text: str) -> float:
    """Return the seconds since 1970 of a time that OpenStack writes in UTC without saying so."""
    return datetime.datetime.fromisoformat(text.rstrip("Z")).replace(tzinfo=datetime.timezone.utc).timestamp()
