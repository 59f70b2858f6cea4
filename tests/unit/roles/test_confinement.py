"""Hosts on which SELinux is on: what their policy is told, before anything that it concerns."""

from __future__ import annotations

import re
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest
import yaml

from installer import plan
from installer.confinement import POLICY
from installer.paths import TEMPLATES
from installer.resources.base import Resource
from installer.resources.kernel_module import KernelModule
from installer.resources.package import Package
from installer.resources.policy import PolicyPath
from installer.roles import all_roles
from tests.unit.roles.test_roles import SUPPORTED, cloud_of, resources_of

ON = {"selinux": {"now": "enforcing", "at_boot": "enforcing", "policy": "x", "unlabelled": [], "missing": []}}
KERNEL = yaml.safe_load((Path(__file__).with_name("selinux_classes.yaml")).read_text())
LVM = {
    "CONFIG_CINDER_BACKEND": "lvm,nfs",
    "CONFIG_CINDER_NFS_MOUNTS": "192.0.2.9:/volumes",
    "CONFIG_CINDER_VOLUMES_CREATE": "y",
}


def told(resources: Sequence[Resource]) -> list[str]:
    return sorted({item.id for item in resources if isinstance(item, (*POLICY, KernelModule))})


def confined(platform: str, **values: Any) -> list[Resource]:
    return list(resources_of(cloud_of(platform=platform, facts=ON, **LVM, **values)))


@pytest.mark.parametrize("state", ["disabled", "absent"])
@pytest.mark.parametrize("platform", SUPPORTED)
def test_where_selinux_is_off_nothing_is_told_to_it(platform: str, state: str) -> None:
    cloud = cloud_of(platform=platform, facts={"selinux": {"now": state}}, **LVM)
    assert told(resources_of(cloud)) == []
    assert plan.SELINUX not in {step.name for step in plan.build(cloud, all_roles())}


@pytest.mark.parametrize("platform", SUPPORTED)
def test_where_it_is_on_the_policy_is_told_before_packages_and_services_come(platform: str) -> None:
    steps = {step.name: step for step in plan.build(cloud_of(platform=platform, facts=ON, **LVM), all_roles())}
    policy = steps[plan.SELINUX]
    assert policy.needs == {steps["base"].key}
    assert "policycoreutils-python-utils" in [
        item.package for item in steps["base"].resources if isinstance(item, Package)
    ]
    for name, step in steps.items():
        if name not in (plan.SELINUX, "base", plan.ACCOUNTS, plan.SWITCHED_OFF):
            assert policy.key in step.needs, name
            assert not [item for item in step.resources if isinstance(item, POLICY)], name


#: HAProxy is not confined on Debian 12.
HAPROXY = {
    "policy-module:pystack-haproxy",
    "policy-boolean:haproxy_bind_all_tcp_ports",
    "policy-boolean:haproxy_connect_all_tcp_ports",
}


@pytest.mark.parametrize(
    ("platform", "further"), [("debian-12", set()), ("debian-13", HAPROXY), ("ubuntu-24.04", HAPROXY)]
)
def test_debian_and_ubuntu_are_told_what_their_policy_lacks(platform: str, further: set[str]) -> None:
    found = set(told(confined(platform)))
    assert {
        "policy-module:pystack-rabbitmq", "policy-module:pystack-volumes", "policy-port:25672",
        "kernel-module:iscsi_tcp",
    } <= found  # fmt: skip
    assert found & HAPROXY == further


def test_el_and_fedora_are_told_what_openstack_selinux_tells_them() -> None:
    for platform in ("el-9", "el-10", "fedora-44"):
        assert told(confined(platform)) == [
            "kernel-module:iscsi_tcp",
            "policy-boolean:haproxy_connect_any",
            "policy-boolean:virt_use_nfs",
            "policy-module:pystack-libvirt",
            "policy-module:pystack-openvswitch",
            "policy-path:/var/lib/pystack/volume-groups/.*",
            "policy-port:6641",
            "policy-port:6642",
        ]


def test_a_volume_group_in_a_file_is_labelled_before_anything_reads_it() -> None:
    resources = confined("debian-13")
    names = [item.id for item in resources]
    file = "/var/lib/pystack/volume-groups/cinder-volumes.img"
    (path,) = (item for item in resources if isinstance(item, PolicyPath))
    assert re.fullmatch(path.pattern, file)
    assert names.index("command:volume-group-file") < names.index(f"label:{file}")
    assert names.index(f"label:{file}") < names.index("unit:pystack-volume-group.service")


@pytest.mark.parametrize("path", sorted((TEMPLATES / "selinux").iterdir()), ids=lambda path: path.name)
def test_a_module_is_made_of_blocks_that_a_policy_may_not_know_each_with_its_parentheses(path: Any) -> None:
    text = re.sub(r"(?m)^;.*$", "", path.read_text())
    depth, blocks = 0, []
    for word in re.findall(r"[()]|[^\s()]+", text):
        depth += {"(": 1, ")": -1}.get(word, 0)
        assert depth >= 0
        if depth == 1 and word not in "()":
            blocks.append(word)
    assert depth == 0
    assert blocks[::2] == ["optional"] * (len(blocks) // 2)
    assert len(set(blocks[1::2])) == len(blocks) // 2


@pytest.mark.parametrize("path", sorted((TEMPLATES / "selinux").iterdir()), ids=lambda path: path.name)
def test_a_module_allows_what_the_kernel_knows(path: Any) -> None:
    rules = re.findall(r"\((?:allow|dontaudit) \w+ \w+ \((\w+) \(([\w ]+)\)\)\)", path.read_text())
    assert len(rules) == len(re.findall(r"\((?:allow|dontaudit) ", path.read_text()))
    for kind, permissions in rules:
        known = " ".join(KERNEL.get(word, word) for word in KERNEL["classes"][kind])
        assert set(permissions.split()) <= set(known.split()), (kind, permissions)
