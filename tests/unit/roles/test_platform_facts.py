"""Every role on every platform, without a host: the platform's file has what they ask for, and nothing else."""

from __future__ import annotations

import ast
import functools
import re
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import pytest

from installer.cloud import Cloud, CloudHost
from installer.errors import AnswerFileError
from installer.paths import ROLES
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
#: Facts that a platform may lack: roles, preflight and the plan take nothing for them.
MAY_LACK = {"accounts", "selinux", "unfinished", "tool", "rules"}

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
    assert {(section, name) for section, name in known - set(needed) if name not in MAY_LACK} == set()
    for (section, name), reader in needed.items():
        with monkeypatch.context() as patch:
            patch.setattr(module, "entries", without(section, name))
            # Or the one that would do in its place.
            with pytest.raises(MissingFact, match=rf"platform {platform} has no fact '\w+' for the role {section}"):
                ask(*reader)


#: What would tell a role which distribution it is on.
DISTRIBUTIONS = re.compile(
    r"\b(debian|ubuntu|fedora|centos|rhel|rocky|almalinux|el\d+|ID_LIKE|os[-_]release|dpkg|apt|apt-get|rpm|dnf|yum)\b",
    re.IGNORECASE,
)


def questions(source: str) -> list[str]:
    """Return where a program asks for a distribution: names and texts of it, but for documentation."""
    tree = ast.parse(source)
    documentation = {
        id(node.body[0].value)
        for node in ast.walk(tree)
        if isinstance(node, (ast.Module, ast.ClassDef, ast.FunctionDef))
        and node.body
        and isinstance(node.body[0], ast.Expr)
    }
    found = []
    for node in ast.walk(tree):
        is_text = isinstance(node, ast.Constant) and isinstance(node.value, str) and id(node) not in documentation
        if is_text and DISTRIBUTIONS.search(str(node.value)):  # type: ignore[attr-defined]
            found.append(f"line {node.lineno}: {node.value!r}")  # type: ignore[attr-defined]
        name = getattr(node, "attr", None) or getattr(node, "id", None) or getattr(node, "module", None)
        if isinstance(name, str) and ("platform" in name.split(".") or name in ("Platform", "installer.platforms")):
            found.append(f"line {node.lineno}: {name}")  # type: ignore[attr-defined]
    return found


@pytest.mark.parametrize("path", sorted(ROLES.rglob("*.py")), ids=lambda path: str(path.relative_to(ROLES)))
def test_a_role_never_asks_which_distribution_it_is_on(path: Path) -> None:
    if path.parent.name == "locks":
        return
    assert questions(path.read_text()) == []


@pytest.mark.parametrize(
    "line",
    [
        "host.platform.name",
        "from installer.platforms import find",
        "x = host.facts['os_release']",
        "x = 'el9'",
        "run('dpkg --list')",
    ],
)
def test_a_role_that_did_would_be_found(line: str) -> None:
    assert questions(f'"""Debian may be named here."""\n{line}')
