"""Which platform a host is of, by its os-release file: relatives take their family's facts, all others are refused."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import yaml

from installer.agent.facts import parse_assignments
from installer.bundle import making
from installer.cloud import CloudHost
from installer.errors import PreflightRefused, PystackError
from installer.lab import platforms as lab_platforms
from installer.operation import _refuse_foreign
from installer.platforms import Platform, find, newest, supported, supported_titles
from installer.report import tables

MISNAMED = yaml.safe_load(Path(__file__).with_name("misnamed.yaml").read_text())
CASES = yaml.safe_load(Path(__file__).with_name("os_release.yaml").read_text())


def platform_of(text: str) -> Platform:
    return Platform.from_os_release(parse_assignments(text))


@pytest.mark.parametrize("case", CASES, ids=[case["reads"] for case in CASES])
def test_a_host_is_of_the_platform_whose_facts_it_takes_and_says_so(case: dict[str, Any]) -> None:
    platform = platform_of(case["os_release"])
    assert platform.name == case.get("platform", "unknown")
    assert platform.supported is ("platform" in case)
    assert str(platform) == case["reads"]


def test_every_supported_platform_has_a_case() -> None:
    assert {platform.name for platform in supported()} <= {case.get("platform") for case in CASES}


def test_a_plan_for_a_host_that_is_of_no_platform_is_refused_by_name_with_those_that_there_are() -> None:
    mint = next(case for case in CASES if case["reads"] == "Linux Mint 22")
    hosts = [
        CloudHost("h1", frozenset(), {}, platform_of(mint["os_release"])),
        CloudHost("h2", frozenset(), {}, find("el-9")),
    ]
    with pytest.raises(PreflightRefused) as refused:
        _refuse_foreign(hosts)
    assert "h1: Linux Mint 22" in refused.value.message
    assert "h2" not in refused.value.message
    assert "Debian 13" in refused.value.remedy
    assert "Fedora 45" in refused.value.remedy
    _refuse_foreign(hosts[1:])


def test_the_platforms_that_there_are_are_named_as_operators_call_them() -> None:
    assert supported_titles().split("; ")[:3] == [
        "Debian 12", "Debian 13", "EL 9 (CentOS Stream, RHEL, Rocky Linux, AlmaLinux)",
    ]  # fmt: skip


@pytest.mark.parametrize("case", MISNAMED, ids=[f"{case['name']} {case.get('where', '')}" for case in MISNAMED])
def test_a_name_that_is_no_platforms_is_answered_with_those_that_it_may_mean(case: dict[str, str]) -> None:
    look_up = lab_platforms.find if case.get("where") == "lab" else find
    with pytest.raises(PystackError) as refused:
        look_up(case["name"])
    assert (refused.value.message, refused.value.remedy) == (case["says"], case["remedy"])


@pytest.mark.parametrize(
    ("typed", "name"),
    [
        ("el9", "el-9"),
        ("el10", "el-10"),
        ("debian12", "debian-12"),
        ("debian13", "debian-13"),
        ("fedora43", "fedora-43"),
    ],
)
def test_a_platform_may_be_named_as_its_file_is_wherever_one_is_named(typed: str, name: str) -> None:
    assert find(typed).name == name
    assert lab_platforms.find(typed).name == name
    assert [host.address for host in making.hosts_of([typed, name])] == [name]


def test_ubuntus_release_may_be_written_without_its_point() -> None:
    assert find("ubuntu2404").name == "ubuntu-24.04"


def test_of_a_distribution_with_one_file_the_lab_makes_the_newest_release_that_it_can() -> None:
    assert newest("fedora", ["fedora-43", "fedora-44", "el-10"]) == "fedora-44"
    assert lab_platforms.find("fedora").name == max(name for name in lab_platforms.PLATFORMS if "fedora" in name)
    assert newest("el", ["el-9", "el-10"]) == ""


def test_what_hosts_run_is_told_with_nothing_in_it_that_commands_a_terminal() -> None:
    told = Platform("el9", "9", "Rocky\x1b[31m Linux 9.6", is_relative=True)
    assert tables.platforms({"h1": told}) == [("h1: Rocky Linux 9.6, handled as el-9", "")]
