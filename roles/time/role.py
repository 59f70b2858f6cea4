"""The clock: tokens and certificates are good for a time, so hosts that disagree about it refuse each other."""

from __future__ import annotations

from collections.abc import Iterable

from installer.cloud import GROUPS, Cloud, CloudHost
from installer.render import rendered_file
from installer.resources.base import Resource
from installer.resources.package import Package
from installer.resources.unit import Unit
from installer.roles import Role


class Time(Role):
    """chrony with the time servers of the answer file; without any, a host keeps what it has."""

    name = "time"
    title = "Time"
    groups = GROUPS
    after_here = ("base",)

    def wanted(self, cloud: Cloud) -> bool:
        return bool(cloud.answers["CONFIG_NTP_SERVERS"])

    def resources(self, cloud: Cloud, host: CloudHost) -> Iterable[Resource]:
        # Its clock is that of the machine it runs on, and chrony refuses to start.
        if host.is_container:
            return
        facts = self.facts(host)
        yield Package(facts["package"])
        yield rendered_file(
            facts["configuration"],
            "time/chrony.conf.j2",
            servers=cloud.answers["CONFIG_NTP_SERVERS"],
            driftfile=facts["driftfile"],
        )
        yield Unit(facts["unit"], reads=(facts["configuration"],))


ROLE = Time()
