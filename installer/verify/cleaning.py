"""Removing what verify made, by its name: also what a run that was killed left behind, which nobody remembers."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from typing import Any

from keystoneauth1.exceptions import ClientException
from openstack.exceptions import SDKException

from installer.admin_files import DEMO
from installer.report.words import count
from installer.verify.failing import CheckFailed
from installer.verify.live import Live
from installer.verify.names import PREFIX

#: Seconds in which an instance, and a volume, must be gone.
SERVER_SECONDS, VOLUME_SECONDS = 180.0, 180.0
NOVA, NEUTRON, CINDER = "CONFIG_NOVA_INSTALL", "CONFIG_NEUTRON_INSTALL", "CONFIG_CINDER_INSTALL"

Found = Iterable[tuple[str, Any]]


@dataclass(frozen=True)
class Kind:
    """A kind of thing that verify makes.

    Args:
        noun: what one is called.
        needs: the parameter without which there are none.
        listed: returns all that there are, each with its name.
        remove: removes one.
        seconds: how long it may take until it is gone; 0: it is at once.
    """

    noun: str
    needs: str
    listed: Callable[[Live], Found]
    remove: Callable[[Live, Any], object]
    seconds: float = 0.0


@dataclass
class Swept:
    """What was removed, how many of each kind; and what is still there, with why."""

    removed: Counter[str] = field(default_factory=Counter)
    left: list[str] = field(default_factory=list)

    @property
    def words(self) -> str:
        """What was removed, in words."""
        return ", ".join(count(number, noun) for noun, number in self.removed.items()) or "nothing"


def sweep(live: Live, is_due: Callable[[str], bool]) -> Swept:
    """Remove what is due, each kind before those that it stands on.

    Args:
        live: the cloud.
        is_due: tells by a thing's name.
    """
    done = Swept()
    for kind in KINDS:
        if kind.needs and not live.answers[kind.needs]:
            continue
        try:
            _sweep_kind(live, kind, is_due, done)
        except (SDKException, ClientException, CheckFailed) as problem:
            done.left.append(f"{kind.noun}s: {problem}")
    return done


def _sweep_kind(live: Live, kind: Kind, is_due: Callable[[str], bool], done: Swept) -> None:
    there = [(name, thing) for name, thing in kind.listed(live) if is_due(name)]
    if not there:
        return
    live.tell(f"removing {count(len(there), kind.noun)}")
    stuck = set()
    for name, thing in there:
        try:
            kind.remove(live, thing)
        except (SDKException, ClientException) as problem:
            stuck.add(thing.id)
            done.left.append(f"{kind.noun} {name}: {problem}")
    wanted_gone = {thing.id for _, thing in there} - stuck
    if kind.seconds and wanted_gone:

        def look() -> tuple[bool | None, str]:
            still = [thing for _, thing in kind.listed(live) if thing.id in wanted_gone]
            seen = ", ".join(f"{thing.name} is {getattr(thing, 'status', 'there')}" for thing in still)
            return (None if still else True), seen

        live.wait(f"{kind.noun} to be gone", kind.seconds, look)
    if wanted_gone:
        done.removed[kind.noun] += len(wanted_gone)


def _named(things: Iterable[Any]) -> Found:
    return [(str(thing.name or ""), thing) for thing in things]


def _floating(live: Live) -> Found:
    return [(str(thing.description or ""), thing) for thing in live.admin.network.ips()]


def _keys(live: Live) -> Iterator[tuple[str, Any]]:
    """Yield the key pairs of those whom verify is: they belong to users, not to projects."""
    for name in (str(live.answers["CONFIG_KEYSTONE_ADMIN_USERNAME"]), DEMO):
        user = live.identity.find_user(name)
        if user is not None:
            for key in live.admin.compute.keypairs(user_id=user.id):
                key.user_id = user.id
                yield str(key.name), key


def _projects(live: Live) -> list[Any]:
    return [project for project in live.identity.projects() if project.name.startswith(PREFIX)]


def _groups(live: Live) -> Iterator[tuple[str, Any]]:
    """Yield the security groups of verify's own projects, the default one among them."""
    own = {project.id: str(project.name) for project in _projects(live)}
    if own:
        for group in live.admin.network.security_groups():
            if group.project_id in own:
                yield own[group.project_id], group


def _remove_volume(live: Live, volume: Any) -> None:
    # An administrator may remove one in whatever state it hangs; the instance that had it is gone by now.
    force = volume.status not in ("available", "error")
    live.admin.block_storage.delete_volume(volume, force=force)


def remove_router(network: Any, router: str) -> None:
    """Remove a router, and before it what ties it to its networks.

    Args:
        network: the SDK's proxy of the network service.
        router: its id.
    """
    for port in network.ports(device_id=router, device_owner="network:router_interface"):
        network.remove_interface_from_router(router, port_id=port.id)
    network.delete_router(router)


KINDS = (
    Kind(
        "instance",
        NOVA,
        lambda live: _named(live.admin.compute.servers(all_projects=True)),
        lambda live, one: live.admin.compute.delete_server(one),
        SERVER_SECONDS,
    ),
    Kind("floating address", NEUTRON, _floating, lambda live, one: live.admin.network.delete_ip(one)),
    Kind(
        "volume",
        CINDER,
        lambda live: _named(live.admin.block_storage.volumes(all_projects=True)),
        _remove_volume,
        VOLUME_SECONDS,
    ),
    Kind("key pair", NOVA, _keys, lambda live, one: live.admin.compute.delete_keypair(one.name, user_id=one.user_id)),
    Kind(
        "flavor",
        NOVA,
        lambda live: _named(live.admin.compute.flavors(is_public=None)),
        lambda live, one: live.admin.compute.delete_flavor(one),
    ),
    Kind(
        "router",
        NEUTRON,
        lambda live: _named(live.admin.network.routers()),
        lambda live, one: remove_router(live.admin.network, one.id),
    ),
    Kind(
        "network",
        NEUTRON,
        lambda live: _named(live.admin.network.networks()),
        lambda live, one: live.admin.network.delete_network(one),
    ),
    Kind("security group", NEUTRON, _groups, lambda live, one: live.admin.network.delete_security_group(one)),
    Kind("project", "", lambda live: _named(_projects(live)), lambda live, one: live.identity.delete_project(one)),
)
