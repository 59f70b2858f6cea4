"""What a role is: a class that says which resources must be true on which hosts, and after what."""

from __future__ import annotations

import functools
import importlib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import ClassVar

from installer.accounts import Account, of_packages, of_services
from installer.cloud import Cloud, CloudHost
from installer.paths import ROLES
from installer.platforms import Facts
from installer.ports import Opening, openings
from installer.resources.base import Resource
from installer.resources.built_module import BuiltModule
from installer.resources.secret import Secret
from installer.resources.virtual_environment import VirtualEnvironment


@dataclass(frozen=True)
class Schema:
    """Databases that a role keeps its data in, and the account that it uses them with.

    Args:
        user: the account.
        password: the account's.
        databases: their names.
    """

    user: str
    password: Secret
    databases: tuple[str, ...]


class Role:
    """One part of the cloud, such as the identity service. Roles do no IO.

    Class attributes:
        name: the folder under roles/ and the word in plans and reports.
        title: one line for the operator.
        groups: the groups whose hosts get this role.
        after: roles that must be converged on all their hosts first.
        after_here: roles that must be converged on the same host first.
        waits_for_packages: whether the host's package transaction must have ended first.
        before_packages: whether the package transaction waits for this role, as for a package source;
            it installs its own packages itself.
        units: units that run on hosts of this role only; on the others they are stopped, once they are there.
        services: the services whose accounts this role makes.
    """

    name: ClassVar[str]
    title: ClassVar[str]
    groups: ClassVar[tuple[str, ...]]
    after: ClassVar[tuple[str, ...]] = ()
    after_here: ClassVar[tuple[str, ...]] = ()
    waits_for_packages: ClassVar[bool] = True
    before_packages: ClassVar[bool] = False
    units: ClassVar[tuple[str, ...]] = ()
    services: ClassVar[tuple[str, ...]] = ()

    def wanted(self, cloud: Cloud) -> bool:
        """Tell whether the answer file asks for this role at all."""
        return True

    def resources(self, cloud: Cloud, host: CloudHost) -> Iterable[Resource]:
        """Yield what must be true on this host, in the order in which it must become true."""
        raise NotImplementedError

    def ports(self, cloud: Cloud, host: CloudHost) -> Mapping[int, tuple[str, ...]]:
        """Return the TCP ports that this role's services listen on, each with the programs that may hold it.

        A port held by one of these (names in ``/proc/PID/comm``) is ours from an earlier run; by another, a conflict.
        """
        return {}

    def openings(self, cloud: Cloud, host: CloudHost) -> Iterable[Opening]:
        """Return which ports of this role other machines come to: those of ``ports`` that the registry knows so.

        A firewall on the host lets them in, and preflight looks whether it does.
        """
        return (opening for port in self.ports(cloud, host) for opening in openings(port))

    def accounts(self, host: CloudHost) -> tuple[Account, ...]:
        """Return the accounts that this role and its packages bring to a host."""
        return (*of_services(*self.services), *of_packages(self.facts(host)))

    def schemas(self, cloud: Cloud) -> Iterable[Schema]:
        """Return the databases that this role wants; the role mariadb makes them on the database host."""
        return ()

    def entities(self, cloud: Cloud) -> Iterable[Resource]:
        """Return what this role wants Keystone to keep, such as users and endpoints; the role catalogue makes it."""
        return ()

    def from_index(self, cloud: Cloud, host: CloudHost) -> Iterable[VirtualEnvironment | BuiltModule]:
        """Return what this role makes of distributions of the package index; only a host's platform is known then."""
        return ()

    def blobs(self, cloud: Cloud) -> Mapping[str, Path]:
        """Return the files that this role's resources name by sha256 (64 hex digits)."""
        return {}

    def facts(self, host: CloudHost) -> Facts:
        """Return this role's platform facts for a host, from the file of the host's platform."""
        return host.platform_facts(self.name)


def of_host(roles: Iterable[Role], cloud: Cloud, host: CloudHost) -> list[Role]:
    """Return the roles that a host gets."""
    return [role for role in roles if role.wanted(cloud) and host.groups & set(role.groups)]


def openings_of(roles: Iterable[Role], cloud: Cloud, host: CloudHost) -> list[Opening]:
    """Return the ports of a host that other machines come to, sorted."""
    return sorted({opening for role in of_host(roles, cloud, host) for opening in role.openings(cloud, host)})


@functools.cache
def all_roles() -> tuple[Role, ...]:
    """Return one instance of every role under roles/, sorted by name."""
    found = []
    for folder in sorted(path.parent for path in ROLES.glob("*/role.py")):
        module = importlib.import_module(f"roles.{folder.name}.role")
        found.append(module.ROLE)
    return tuple(found)
