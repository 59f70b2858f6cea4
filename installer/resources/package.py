"""A package of the distribution; all that a host lacks are installed in one transaction."""

from __future__ import annotations

import dataclasses
import re
from typing import ClassVar, Dict, Sequence, Tuple

from installer.agent.host import CommandFailed, Host
from installer.resources import dnf, dpkg, held_services, transaction
from installer.resources.base import Actual, FixFailed, Resource, State
from installer.resources.package_manager import DNF, package_manager
from installer.resources.secret import Secret

INSTALLED, ABSENT, HALF = "installed", "absent", "half-configured"


@dataclasses.dataclass(frozen=True)
class Package(Resource):
    """A package of the distribution, without what it merely recommends. On Debian its services are not started by it.

    Args:
        package: its name, or a name that packages provide.
        absent: it must not be installed; its configuration files may stay.
        proxies: ``http_proxy``, ``https_proxy``, ``no_proxy`` with their values. What the package manager's own
            configuration says goes before them.
        brings_repositories: others come from package sources that it brings.
    """

    kind: ClassVar[str] = "package"

    package: str
    absent: bool = False
    proxies: Tuple[Tuple[str, Secret], ...] = ()
    brings_repositories: bool = False

    @property
    def name(self) -> str:
        return self.package

    def expected(self) -> State:
        return None if self.absent else {"state": INSTALLED}

    @classmethod
    def query(cls, resources: Sequence[Package], host: Host) -> Dict[str, Actual]:
        if package_manager(host) == DNF:
            names = [resource.package for resource in resources]
            missing, half = dnf.missing(names, host), dnf.half(host)
            found = {name: ABSENT if name in missing else HALF if name in half else INSTALLED for name in names}
        else:
            known = dpkg.query(host)
            found = {name.package: known.state(name.package, provided=not name.absent) for name in resources}
        states: Dict[str, Actual] = {
            resource.id: None if found[resource.package] == ABSENT else {"state": found[resource.package]}
            for resource in resources
        }
        if held_services.left_behind():
            _blame_first(resources, states)
        return states

    def fix(self, actual: Actual, host: Host) -> None:
        self.fix_all([(self, actual)], host)

    @classmethod
    def fix_all(cls, differing: Sequence[Tuple[Package, Actual]], host: Host) -> None:
        wanted = [item.package for item, actual in differing if not item.absent and not _is(INSTALLED, actual)]
        unwanted = [item.package for item, actual in differing if item.absent and actual is not None]
        held_services.let_go()
        if not wanted and not unwanted:
            return
        # Neither command line nor configuration of both package managers takes them and leaves the host as it was.
        proxies = {name: value.reveal() for item, _ in differing for name, value in item.proxies}
        transaction.begin()
        try:
            if package_manager(host) == DNF:
                dnf.change(wanted, unwanted, host, proxies)
            else:
                with held_services.held_back() as hold:
                    dpkg.change(wanted, unwanted, host, {**proxies, **hold})
        except CommandFailed as problem:
            words = re.split(r"[\s,;]+", problem.why)
            for item, _ in differing:
                if item.package in words:
                    raise FixFailed(item) from problem
            raise


def _blame_first(resources: Sequence[Package], states: Dict[str, Actual]) -> None:
    """Let one package differ, so that a policy-rc.d left behind is cleared away although all are installed."""
    for resource in resources:
        actual = states[resource.id]
        if not resource.absent and isinstance(actual, dict):
            states[resource.id] = {**actual, "services": "held back by a run that was cut off"}
            return


def _is(state: str, actual: Actual) -> bool:
    return isinstance(actual, dict) and actual["state"] == state
