"""One host as a check sees it, and what checks share."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any, NamedTuple

from installer.cloud import Cloud, CloudHost
from installer.outcome import Finding
from installer.ports import Opening


class Seen(NamedTuple):
    """One host as a check sees it.

    Args:
        cloud: the whole cloud.
        host: the host.
        report: what its agent found; see ``installer.agent.probes.probe``.
        ports: TCP ports that the host's roles need, each with the programs that may hold it.
        openings: ports that other machines come to.
    """

    cloud: Cloud
    host: CloudHost
    report: Mapping[str, Any]
    ports: Mapping[int, tuple[str, ...]]
    openings: Sequence[Opening] = ()

    @property
    def facts(self) -> Mapping[str, Any]:
        """What roles know of the host."""
        facts: Mapping[str, Any] = self.report["facts"]
        return facts

    @property
    def is_installed(self) -> bool:
        """Whether pystack's own services listen already: then what is needed is on the disk."""
        return any(entry["unit"].startswith("openstack-") for entry in self.report["listeners"])

    def good(self, title: str, found: str) -> Finding:
        """Return a success."""
        return Finding(title, "success", found, host=self.host.address)

    def bad(self, title: str, found: str, why: str, remedy: str, *commands: str, outcome: str = "fail") -> Finding:
        """Return what stands in the way, or with ``outcome`` warn what may do harm later."""
        return Finding(title, outcome, found, why, remedy, self.host.address, commands=commands)


Check = Callable[[Seen], Iterator[Finding]]
