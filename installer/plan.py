"""The plan: for every host the steps that bring it to what the roles say, and what each step waits for."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace

from installer import proxies
from installer.accounts import Account
from installer.cloud import Cloud, CloudHost
from installer.confinement import POLICY
from installer.errors import InternalError
from installer.resources.account import Group, User
from installer.resources.base import Resource
from installer.resources.package import Package
from installer.resources.package_files import PackageFiles
from installer.resources.repository import Repository
from installer.resources.secret import Secret
from installer.resources.test_image import TestImage
from installer.resources.unit import Unit
from installer.roles import Role

#: Steps that gather what all roles of a host have of one kind. Accounts come first, so that package scripts find
#: them; all packages come in one transaction, but for those of roles that it waits for.
ACCOUNTS = "accounts"
PACKAGES = "packages"
#: What SELinux is told comes before packages, so that their files and services find it.
SELINUX = "selinux"
#: What comes from the distribution's package sources.
FROM_SOURCES = (Package, PackageFiles, Repository, TestImage)
#: The step that stops what a host ran before the answer file was changed.
SWITCHED_OFF = "switched-off"

Key = tuple[str, str]


@dataclass(frozen=True)
class Step:
    """What one role (or one gathering of all roles) does on one host.

    Args:
        host: address.
        name: the role's name, ``accounts``, ``selinux``, ``packages`` or ``switched-off``.
        resources: what must be true, in order.
        needs: keys (host, name) of the steps that must have converged before.
    """

    host: str
    name: str
    resources: tuple[Resource, ...]
    needs: frozenset[Key]

    @property
    def key(self) -> Key:
        """What identifies the step in the plan."""
        return (self.host, self.name)


def build(cloud: Cloud, roles: Sequence[Role]) -> tuple[Step, ...]:
    """Return the steps of all hosts, each after those that it needs.

    Raises:
        InternalError: roles wait for each other in a circle, or declare the same resource differently.
    """
    wanted = [role for role in roles if role.wanted(cloud)]
    placed = {role.name: [host for host in cloud.hosts if host.groups & set(role.groups)] for role in wanted}
    steps: list[Step] = []
    for host in cloud.hosts:
        here = [role for role in wanted if host in placed[role.name]]
        steps += _steps_of(cloud, host, here, placed)
        steps += _switched_off(host, here, roles)
    return _ordered(steps)


def _steps_of(cloud: Cloud, host: CloudHost, roles: Sequence[Role], placed: dict[str, list[CloudHost]]) -> list[Step]:
    through = proxies.environment(cloud.answers)
    resources = {role.name: tuple(_proxied(role.resources(cloud, host), through)) for role in roles}
    everything = [item for items in resources.values() for item in items]
    _check_declared_once(host, everything)
    accounts = _accounts(cloud, host, everything)
    early = [item for role in roles if role.before_packages for item in resources[role.name]]
    packages = _unique(item for item in everything if isinstance(item, Package) and item not in early)
    policy = _unique(item for kind in POLICY for item in everything if isinstance(item, kind))
    steps_of = ((ACCOUNTS, accounts), (SELINUX, policy), (PACKAGES, packages))
    gathered = {(host.address, name) for name, items in steps_of if items}
    first = {(host.address, role.name) for role in roles if role.before_packages}
    steps = []
    if accounts:
        steps.append(Step(host.address, ACCOUNTS, tuple(accounts), frozenset()))
    if policy:
        # Its tools are among what comes before all other packages.
        steps.append(Step(host.address, SELINUX, tuple(policy), frozenset(first)))
    if packages:
        steps.append(
            Step(host.address, PACKAGES, tuple(packages), frozenset((gathered | first) - {(host.address, PACKAGES)}))
        )
    for role in roles:
        needs = {(other.address, name) for name in role.after for other in placed.get(name, ())}
        needs |= {(host.address, name) for name in role.after_here if host in placed.get(name, ())}
        needs |= gathered - {(host.address, name) for name in _not_waited_for(role)}
        elsewhere = (Group, User, *POLICY) if role.before_packages else (Group, User, *POLICY, Package)
        own = tuple(item for item in resources[role.name] if not isinstance(item, elsewhere))
        steps.append(Step(host.address, role.name, _in_order(own), frozenset(needs)))
    return steps


def _not_waited_for(role: Role) -> tuple[str, ...]:
    if role.before_packages:
        return (SELINUX, PACKAGES)
    return () if role.waits_for_packages else (PACKAGES,)


def _accounts(cloud: Cloud, host: CloudHost, resources: Iterable[Resource]) -> list[Resource]:
    """Return groups and users, groups first, with the numbers that were settled for them."""
    numbering, in_front = cloud.numbering, cloud.answers["CONFIG_UID_CONFLICTS"] == "relocate"
    declared = [item for item in resources if isinstance(item, (Group, User))]
    groups: list[Group] = []
    users: list[User] = []
    made = [item for account in numbering.made_first.get(host.address, ()) for item in _made(account)]
    for item in (*declared, *made):
        if isinstance(item, Group):
            number = numbering.number("group", item.group, item.preferred_gid)
            groups.append(replace(item, preferred_gid=number, in_front=in_front))
        else:
            number = numbering.number("user", item.user, item.preferred_uid)
            users.append(replace(item, preferred_uid=number, in_front=in_front))
    return _unique([*groups, *users])


def _made(account: Account) -> Iterator[Group | User]:
    """Yield what pystack makes of an account that otherwise a package would make."""
    if account.own_group:
        yield Group(account.name)
    if not account.only_group:
        group = account.group or account.name
        yield User(account.name, group, home=account.home, shell=account.shell, comment=account.title)


def _switched_off(host: CloudHost, here: Sequence[Role], roles: Sequence[Role]) -> list[Step]:
    running = {unit for role in here for unit in role.units}
    others = sorted({unit for role in roles for unit in role.units} - running)
    stopped = tuple(Unit(unit, enabled=False, active=False) for unit in others)
    return [Step(host.address, SWITCHED_OFF, stopped, frozenset())] if stopped else []


def _proxied(resources: Iterable[Resource], through: tuple[tuple[str, Secret], ...]) -> Iterable[Resource]:
    return (replace(item, proxies=through) if isinstance(item, FROM_SOURCES) else item for item in resources)


def _in_order(resources: Iterable[Resource]) -> tuple[Resource, ...]:
    return tuple(_unique(resources))


def _unique(resources: Iterable[Resource]) -> list[Resource]:
    return list({item.id: item for item in resources}.values())


def _check_declared_once(host: CloudHost, resources: Iterable[Resource]) -> None:
    seen: dict[str, Resource] = {}
    for item in resources:
        if seen.setdefault(item.id, item) != item:
            raise InternalError(f"{host.address}: two roles declare {item.id} differently")


def _ordered(steps: Sequence[Step]) -> tuple[Step, ...]:
    known = {step.key for step in steps}
    waiting = list(steps)
    done: dict[Key, Step] = {}
    while waiting:
        ready = [step for step in waiting if all(need in done for need in step.needs & known)]
        if not ready:
            circle = ", ".join(f"{step.name} on {step.host}" for step in waiting)
            raise InternalError(f"steps wait for each other: {circle}")
        done.update((step.key, step) for step in ready)
        waiting = [step for step in waiting if step.key not in done]
    return tuple(done.values())
