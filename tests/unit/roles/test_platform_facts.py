"""Every role on every platform, without a host: the platform's file has what they ask for, and nothing else."""

from __future__ import annotations

import functools
from collections.abc import Iterator, Mapping
from typing import Any

import pytest

from installer.cloud import Cloud, CloudHost
from installer.errors import AnswerFileError
from installer.platforms import Fact, Facts, MissingFact, Platform, find
from installer.platforms import platform as module
from installer.preflight import module_checks
from installer.preflight.seen import Seen
from installer.roles import Role, all_roles
from tests.unit.roles.test_cinder import EVERYTHING
from tests.unit.roles.test_roles import SUPPORTED, cloud_of

#: Where SELinux enforces and the kernel has no datapath, volumes lie in a volume group in a file, and controller,
#: network, storage and instances each have hosts of their own; and a cloud that keeps all in Ceph, and its databases on
#: a host of their own.
SELINUX = {"selinux": {"now": "enforcing"}, "kernel_openvswitch": False, "interfaces": {"eth1": ["198.51.100.7/24"]}}
CLOUDS: tuple[dict[str, Any], ...] = (
    {
        "hosts": ("192.0.2.10", "192.0.2.11"),
        "facts": SELINUX,
        "CONFIG_STORAGE_HOST": "192.0.2.12",
        **EVERYTHING,
        "CONFIG_CINDER_BACKEND": "lvm,nfs",
        "CONFIG_CINDER_VOLUMES_CREATE": "y",
        "CONFIG_NEUTRON_OVN_BRIDGE_IFACES": "br-ex:eth1",
        "CONFIG_NEUTRON_OVN_BRIDGES_COMPUTE": "br-ex",
        "CONFIG_NEUTRON_OVN_TUNNEL_IF": "eth1",
        "CONFIG_PROVISION_DEMO": "y",
    },
    {
        **EVERYTHING,
        "CONFIG_CINDER_BACKEND": "ceph",
        "CONFIG_GLANCE_BACKEND": "ceph",
        "CONFIG_MARIADB_HOST": "192.0.2.13",
    },
)
#: Facts that roles, preflight and the plan do without where they are missing: nothing but this tells that platforms of
#: a package manager have them, and which sections have none.
TAKEN_IF_THERE = {
    "apt": {
        "accounts": {"cinder_volume", "haproxy", "libvirt", "mariadb", "memcached", "rabbitmq", "time"},
        "selinux": {"cinder", "haproxy", "rabbitmq"},
        "tool": {"firewall"},
        "rules": {"firewall"},
        "unfinished": {"tls"},
    },
    "dnf": {
        "accounts": {"cinder_volume", "haproxy", "libvirt", "mariadb", "memcached", "openvswitch", "rabbitmq", "time"},
        "selinux": {"haproxy", "libvirt", "openvswitch", "ovn"},
        "tool": {"firewall"},
        "rules": {"firewall"},
    },
}
#: What one of them has not.
HAS_NOT = {"debian-12": {("haproxy", "selinux")}}

Reader = tuple[Role, Cloud, CloudHost]


@functools.cache
def clouds(platform: str) -> tuple[Cloud, ...]:
    return tuple(cloud_of(platform=platform, **values) for values in CLOUDS)


def readers(platform: str) -> Iterator[Reader]:
    for cloud in clouds(platform):
        for host in cloud.hosts:
            yield from (
                (role, cloud, host) for role in all_roles() if role.wanted(cloud) and host.groups & set(role.groups)
            )


def ask(role: Role, cloud: Cloud, host: CloudHost) -> None:
    """Let a role say all that it has to say of a host."""
    try:
        list(role.resources(cloud, host))
    except AnswerFileError as refused:
        # The one cloud that cannot work on a platform, by the platform's own fact.
        if host.platform_facts("openvswitch")["userspace_tunnels"] or "drops what instances send" not in str(refused):
            raise
    role.accounts(host)
    role.ports(cloud, host)
    list(role.openings(cloud, host))
    list(role.entities(cloud))
    list(module_checks.ceph(Seen(cloud, host, {}, {})))


def asked(platform: str, monkeypatch: pytest.MonkeyPatch) -> dict[tuple[str, str], Reader]:
    """Return which facts the roles must have, by section and name, each with the first that asks for it."""
    found: dict[tuple[str, str], Reader] = {}
    current: list[Reader] = []
    own = Facts.__getitem__

    def watched(facts: Facts, name: str) -> Any:
        found.setdefault((facts._role, name), current[-1])
        return own(facts, name)

    with monkeypatch.context() as patch:
        patch.setattr(Facts, "__getitem__", watched)
        for reader in readers(platform):
            current.append(reader)
            ask(*reader)
    return found


def without(section: str, name: str) -> Any:
    """Return what is known of a platform, but for one fact."""
    whole = module.entries

    def lacking(platform: Platform) -> Mapping[str, Mapping[str, Fact]]:
        known = whole(platform)
        return {**known, section: {key: fact for key, fact in known[section].items() if key != name}}

    return lacking


@pytest.mark.parametrize("platform", SUPPORTED)
def test_no_role_lacks_a_fact_every_fact_is_asked_for_and_none_can_be_deleted_unnoticed(
    platform: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    needed = asked(platform, monkeypatch)
    known = {(section, name) for section, facts in module.entries(find(platform)).items() for name in facts}
    by_name = TAKEN_IF_THERE[find(platform).package_manager]
    taken_if_there = {(section, name) for name, sections in by_name.items() for section in sections}
    assert known - set(needed) == taken_if_there - HAS_NOT.get(platform, set())
    for (section, name), reader in needed.items():
        with monkeypatch.context() as patch:
            patch.setattr(module, "entries", without(section, name))
            # Or the one that would do in its place.
            with pytest.raises(MissingFact, match=rf"platform {platform} has no fact '\w+' for the role {section}"):
                ask(*reader)
