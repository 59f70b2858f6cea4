from __future__ import annotations

import copy
import json
from pathlib import Path
from platform import machine
from typing import Any

import pytest
import yaml

from installer import preflight
from installer.cloud import Cloud, CloudHost
from installer.errors import AnswerFileError
from installer.platforms import Platform, find
from installer.preflight import account_checks
from installer.resources.base import Resource
from installer.roles import Role

FINE = yaml.safe_load((Path(__file__).parent / "odd_but_fine.yaml").read_text())
CASES = yaml.safe_load((Path(__file__).parent / "cases.yaml").read_text())


NAMES = ("keystone", "glance", "placement", "nova", "neutron", "cinder", "heat")
NOBODY: dict[str, Any] = {
    "problem": "",
    **{kind: dict.fromkeys(NAMES) for kind in ("user", "group")},
    "holders": {"user": {}, "group": {}},
    "sources": {"user": ["files", "nis"], "group": ["files", "nis"]},
}


GROUP: dict[str, Any] = {
    "name": "cinder-volumes",
    "uuid": "u1",
    "size": 20 << 30,
    "free": 10 << 30,
    "missing": 0,
    "exported": False,
    "writable": True,
    "root": False,
}


#: Nothing is kept on a storage system of the site's.
NO_SYSTEM = {"CONFIG_CINDER_BACKEND_ADDRESSES": (), "CONFIG_CINDER_BACKUP": None, "CONFIG_GLANCE_BACKEND": "file"}


class Identity(Role):
    name, title, groups = "identity", "identity", ("controller",)
    services = NAMES

    def ports(self, cloud: Cloud, host: CloudHost) -> dict[int, tuple[str, ...]]:
        return {5000: ("haproxy", "uwsgi"), 3306: ("mariadbd",)}

    def resources(self, cloud: Cloud, host: CloudHost) -> list[Resource]:
        if host.facts["facts_of_a_fit_host"]:
            return []
        raise AnswerFileError("the kernel has no datapath", "take another kernel")


LINK = {"mtu": 1500, "up": True, "carrier": True, "networkmanager": False, "lent": []}


def fine(number: str) -> dict[str, Any]:
    device = {"free_mib": 50_000, "total_mib": 90_000, "read_only": False, "device": 1}
    mount = {"point": "/", "kind": "ext4", "options": ["rw", "relatime"], "free_mib": 50_000, "inodes": 900_000}
    own = f"10.0.0.{1 if number == 'one' else 2}"
    return {
        "facts": {
            "systemd": True,
            "python": [{"path": "/usr/bin/python3.13", "version": "3.13.5"}],
            "uid": 0,
            "memory_mib": 16_000,
            "cores": 4,
            "file_systems": {"/": device},
            "time": 1_000_000.0,
            "hostname": number,
            "machine_id": f"id-{number}",
            "boot_id": f"boot-{number}",
            "architecture": machine(),
            "kvm": {"works": True, "found": "a guest runs"},
            "kernel": "6.12.43+deb13-amd64",
            "virtualization": "none",
            "addresses": [own],
            "interfaces": {"eth0": [f"{own}/24"], "eth1": [], "lo": []},
            "links": {"eth0": LINK, "eth1": LINK, "lo": LINK},
            "managers": ["NetworkManager"],
            "selinux": {
                "now": "enforcing",
                "at_boot": "enforcing",
                "policy": "targeted",
                "unlabelled": [],
                "missing": [],
            },
            "firewall": {
                "manager": "",
                "zones": {},
                "default_zone": "",
                "problem": "",
                "at_boot": [],
                "filters": [],
            },
            "facts_of_a_fit_host": True,
        },
        "mounts": {"/": mount, "/tmp": mount, "/opt": {**mount, "point": "/opt"}},
        "packages": {
            "problem": "",
            "twice": [],
            "unfinished": [],
            "damaged": [],
            "interrupted": False,
            "last": "",
            "holder": None,
        },
        "origins": {"bringing": {}, "repositories": {}},
        "system": {
            "random": True,
            "clock": {"kept": True, "units": ["chrony.service"]},
            "locale": {"set": {"/etc/locale.conf": {"LANG": "de_DE.UTF-8"}}, "are": ["C", "POSIX", "de_DE.utf8"]},
            "umask": {"login": "0022", "services": "0022", "path": ""},
            "kernels": ["6.12.41+deb13-amd64", "6.12.43+deb13-amd64"],
        },
        "proxies": [],
        "hosts_file": [{"number": 1, "text": "127.0.0.1 localhost", "address": "127.0.0.1", "names": ["localhost"]}],
        "accounts": NOBODY,
        "lock": None,
        "listeners": [{"port": 5000, "program": "haproxy", "unit": "haproxy.service"}],
        "remains": [],
        "volume_groups": {
            "groups": [GROUP],
            "problem": "",
            "devices": {},
            "room_mib": 40_000,
            "loop": True,
        },
        "sources": [{"what": "packages", "url": "http://mirror.example", "problem": ""}],
        "names": {f"10.0.0.{i}": {"addresses": [f"10.0.0.{i}"], "names": [], "problem": ""} for i in (1, 2)},
        "clock_ahead": 0.01,
    }


def merged(base: Any, change: Any) -> Any:
    if isinstance(base, dict) and isinstance(change, dict):
        return {**base, **{key: merged(base.get(key), value) for key, value in change.items()}}
    return change


def with_texts_as_keys(change: Any) -> Any:
    """Return it as the agent's answer arrives: as JSON."""
    return json.loads(json.dumps(change))


def findings(change: dict[str, Any], second: dict[str, Any] | None = None) -> list[Any]:
    """Return what preflight finds on two hosts, of which the first, or both, differ from what is fine."""
    change = with_texts_as_keys(copy.deepcopy(change))
    platform = Platform(*change.pop("platform", ("debian13", "13", "Debian 13")))
    answers = {
        "CONFIG_OPENSTACK_RELEASE": "2026.2",
        "CONFIG_NOVA_INSTALL": True,
        "CONFIG_NOVA_LIBVIRT_VIRT_TYPE": "",
        "CONFIG_NEUTRON_INSTALL": True,
        "CONFIG_CINDER_INSTALL": True,
        "CONFIG_CINDER_BACKEND": ["nfs", "lvm"],
        "CONFIG_CINDER_VOLUME_NAME": "cinder-volumes",
        "CONFIG_CINDER_VOLUMES_DEVICES": [],
        "CONFIG_CINDER_VOLUMES_CREATE": False,
        "CONFIG_CINDER_VOLUMES_SIZE": 20 << 30,
        **NO_SYSTEM,
        "CONFIG_GLANCE_INSTALL": True,
        "CONFIG_UID_CONFLICTS": "fail",
        "CONFIG_ENABLE_REPOSITORIES": True,
        "CONFIG_SELINUX": "keep",
        "CONFIG_PROVISION_DEMO": True,
        "CONFIG_PROVISION_IMAGE_URL": "https://images.example/one",
        "CONFIG_NTP_SERVERS": (),
        "CONFIG_NEUTRON_OVN_TUNNEL_IF": "eth0",
        "CONFIG_NEUTRON_OVN_BRIDGE_IFACES": ("br-ex:eth1",),
        "CONFIG_NEUTRON_OVN_BRIDGE_MAPPINGS": ("extnet:br-ex",),
        "CONFIG_NEUTRON_OVN_BRIDGES_COMPUTE": (),
    }
    answers.update(change.pop("answers", {}))
    reports = {"10.0.0.1": merged(fine("one"), change), "10.0.0.2": merged(fine("two"), second or {})}
    hosts = tuple(
        CloudHost(
            address,
            frozenset({"controller", "network", "compute", "storage", "queue"}),
            report["facts"],
            platform if address == "10.0.0.1" else find("debian-13"),
        )
        for address, report in reports.items()
    )
    cloud = account_checks.numbered(Cloud(answers, hosts, None), [Identity()], reports)  # type: ignore[arg-type]
    sources = preflight.check_sources({address: report["sources"] for address, report in reports.items()})
    return preflight.in_order([*preflight.check(cloud, [Identity()], reports), *sources])


def test_a_host_on_which_all_is_well_gives_successes_only() -> None:
    assert {finding.outcome for finding in findings({})} == {"success"}


@pytest.mark.parametrize("case", CASES, ids=[f"{case['check']}: {case['found']}" for case in CASES])
def test_what_is_wrong_is_found_and_has_a_reason_and_a_remedy(case: dict[str, Any]) -> None:
    bad = [finding for finding in findings(case["fails_with"], case.get("two")) if finding.outcome != "success"]
    assert [finding.title for finding in bad] == [*case.get("with", ()), *[case["check"]] * case.get("hosts", 1)]
    bad = bad[len(case.get("with", ())) :]
    assert bad[0].outcome == case.get("outcome", "fail")
    assert case["found"] in bad[0].found
    assert list(bad[0].lines) == case.get("lines", list(bad[0].lines))
    assert bad[0].why
    assert case.get("remedy", "") in " ".join([bad[0].remedy, *bad[0].commands])
    assert bad[0].remedy


@pytest.mark.parametrize("case", FINE, ids=[case["why"] for case in FINE])
def test_what_only_looks_odd_is_no_reason_to_warn(case: dict[str, Any]) -> None:
    bad = [finding.title for finding in findings(case["change"]) if finding.outcome != "success"]
    assert bad == ([case["warned"]] if "warned" in case else [])


def test_a_host_that_does_not_reach_the_index_is_fit_where_wheels_are_sent_to_it() -> None:
    asked = {
        "a": [{"what": "index", "url": "https://index.example.org/simple", "problem": "refused"}],
        "b": [{"what": "packages", "url": "http://mirror.example.org", "problem": "refused"}],
    }
    assert preflight.lack_index(asked)
    assert not preflight.lack_index({"b": asked["b"]})
    assert [finding.outcome for finding in preflight.check_sources(asked)] == ["fail", "fail"]
    assert [(finding.host, finding.outcome) for finding in preflight.check_sources(asked, sent=True)] == [
        ("b", "fail"),
        ("a", "success"),
    ]


def test_emulation_that_was_asked_for_is_no_reason_to_warn() -> None:
    emulated = {"facts": {"kvm": {"works": False, "found": "there is no /dev/kvm"}}}
    assert {finding.outcome for finding in findings(emulated)} == {"success", "warn"}
    asked = {**emulated, "answers": {"CONFIG_NOVA_LIBVIRT_VIRT_TYPE": "qemu"}}
    assert {finding.outcome for finding in findings(asked)} == {"success"}


def test_failures_come_before_everything_else() -> None:
    assert findings({"facts": {"uid": 1}})[0].outcome == "fail"


def test_every_check_of_a_host_and_between_hosts_has_a_case_that_fails() -> None:
    titles = {finding.title for finding in findings({})} | {"systemd"}
    assert titles - {case["check"] for case in CASES} == set()


@pytest.mark.parametrize("answers", [{"CONFIG_CINDER_INSTALL": False}, {"CONFIG_CINDER_BACKEND": ["nfs"]}])
def test_nobody_misses_a_volume_group_that_nothing_is_kept_in(answers: dict[str, Any]) -> None:
    found = findings({"volume_groups": {"groups": []}, "answers": answers})
    assert "volume group" not in {finding.title for finding in found}


@pytest.mark.parametrize(
    ("install", "backends", "asked"),
    [(True, ["nfs", "lvm"], True), (True, ["nfs"], False), (False, ["lvm"], False)],
)
def test_hosts_are_asked_for_volume_groups_where_volumes_lie_in_one(
    install: bool, backends: list[str], asked: bool
) -> None:
    answers: Any = {
        "CONFIG_UID_CONFLICTS": "fail",
        "CONFIG_CINDER_INSTALL": install,
        "CONFIG_CINDER_BACKEND": backends,
        "CONFIG_CINDER_VOLUMES_DEVICES": ["/dev/sdb"],
        "CONFIG_GLANCE_INSTALL": False,
        **NO_SYSTEM,
    }
    for group, has in (("storage", asked), ("compute", False)):
        host = CloudHost("192.0.2.1", frozenset({group}))
        assert ("volume_groups" in preflight.questions(answers, [host], [], host)) is has


@pytest.mark.parametrize(
    ("answers", "told"),
    [
        ({"CONFIG_CINDER_VOLUMES_CREATE": True}, "cinder-volumes will be made in a file of 20 GiB"),
        ({"CONFIG_CINDER_VOLUMES_DEVICES": ["/dev/b"]}, "cinder-volumes will be made on /dev/b (8.0 GiB)"),
    ],
)
def test_a_volume_group_that_is_not_there_will_be_made_if_the_answer_file_says_on_what(
    answers: dict[str, Any], told: str
) -> None:
    change = {
        "volume_groups": {"groups": [], "devices": {"/dev/b": {"size_mib": 8192, "found": ""}}},
        "answers": answers,
    }
    second = {"volume_groups": change["volume_groups"]}
    found = [finding for finding in findings(change, second) if finding.title == "volume group"]
    assert [(finding.outcome, finding.found) for finding in found] == [("success", told)] * 2
