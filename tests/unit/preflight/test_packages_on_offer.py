"""Which packages dnf is asked for before anything is changed, and what comes of its answer."""

from __future__ import annotations

import pytest

from installer import preflight
from installer.roles import all_roles
from tests.unit.roles.test_roles import cloud_of

ADDRESS = "192.0.2.10"
SOURCES = {"centos-release-nfv-openvswitch", "centos-release-rabbitmq-4"}


def asked(platform, bringing=(), problem="", holder=None, **answers):
    cloud = cloud_of(platform=platform, **answers)
    reports = {ADDRESS: {"origins": {"bringing": dict.fromkeys(bringing, ())}, "packages": {"holder": holder}}}
    reached = {ADDRESS: [{"what": "packages", "problem": problem}, {"what": "index", "problem": "none"}]}
    return preflight.package_questions(cloud, all_roles(), reports, reached)


def test_while_repositories_are_still_to_come_dnf_is_asked_for_what_comes_first():
    question = asked("el-9", SOURCES - {"centos-release-rabbitmq-4"})[ADDRESS]
    assert set(question["names"]) == SOURCES | {"python3.12"}
    assert "crb" in question["repositories"]


@pytest.mark.parametrize(
    ("platform", "bringing", "answers"),
    [
        ("el-9", SOURCES, {}),
        ("fedora-43", (), {}),
        ("el-10", (), {"CONFIG_ENABLE_REPOSITORIES": "n"}),
    ],
)
def test_where_none_is_to_come_dnf_is_asked_for_everything(platform, bringing, answers):
    assert {"rabbitmq-server", "haproxy"} <= set(asked(platform, bringing, **answers)[ADDRESS]["names"])


def test_neither_apt_nor_a_host_that_does_not_reach_its_package_sources_or_is_at_work_is_asked():
    assert asked("debian-13") == {}
    assert asked("el-9", problem="timed out") == {}
    assert asked("el-9", holder={"program": "dnf", "pid": 7, "file": ""}) == {}


@pytest.mark.parametrize(
    ("platform", "missing", "remedy"),
    [
        ("el-10", "centos-release-rabbitmq-4", "extras-common"),
        ("fedora-43", "rabbitmq-server", "CONFIG_AMQP_HOST"),
        ("el-9", "python3.12", "dnf repolist"),
    ],
)
def test_a_package_that_no_repository_has_is_refused_with_what_helps(platform, missing, remedy):
    cloud = cloud_of(platform=platform)
    (finding,) = preflight.check_packages(cloud, {ADDRESS: {"missing": [missing], "problem": ""}})
    assert finding.failed
    assert missing in finding.found
    assert remedy in finding.remedy
    assert ("CONFIG_AMQP_HOST" in finding.remedy) == (missing == "rabbitmq-server")


def test_what_cannot_be_told_is_a_warning_and_what_is_found_none():
    cloud = cloud_of(platform="el-10")
    answers = {"missing": [], "problem": "dnf took longer than 180 s"}
    assert [finding.outcome for finding in preflight.check_packages(cloud, {ADDRESS: answers})] == ["warn"]
    answers["problem"] = ""
    assert [finding.outcome for finding in preflight.check_packages(cloud, {ADDRESS: answers})] == ["success"]
    assert preflight.check_packages(cloud, {}) == []
