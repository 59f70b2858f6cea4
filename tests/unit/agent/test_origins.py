"""Where packages come from, as rpm and dnf's files tell it."""

from __future__ import annotations

from typing import Any

import pytest

from installer.agent import origins
from installer.resources import dnf_configuration, repository
from installer.resources.package_manager import APT, DNF
from tests.unit.resources.fake_host import FakeHost


def host_of(manager: str, answers: dict[str, Any]) -> FakeHost:
    host = FakeHost(answers)
    host.remember("package manager", lambda: manager)
    return host


def test_packages_that_bring_repositories_are_told_with_those_of_them_that_need_them(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(repository, "files_on_this_host", lambda: ([], []))
    listed = "ii bash\tx86_64\nii centos-release-rabbitmq-38\tnoarch\nii centos-release-openstack-yoga\tnoarch\n"
    needed = "centos-release-openstack-yoga centos-release-rabbitmq-38\ncentos-release-openstack-yoga rpmlib(X)\n"
    found = origins.origins(host_of(DNF, {"rpm -qa": listed, "rpm -q --qf": needed}))
    assert found["bringing"] == {
        "centos-release-openstack-yoga": [],
        "centos-release-rabbitmq-38": ["centos-release-openstack-yoga"],
    }


def test_a_host_without_such_packages_is_not_asked_what_they_need_and_one_of_apt_nothing(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(repository, "files_on_this_host", lambda: ([], []))
    monkeypatch.setattr(dnf_configuration, "texts", list)
    nothing: dict[str, Any] = {"bringing": {}, "repositories": {}}
    assert origins.origins(host_of(DNF, {"rpm -qa": "ii bash\tx86_64\n"})) == nothing
    assert origins.origins(host_of(APT, {})) == nothing


def test_of_repositories_that_are_on_it_is_told_what_is_left_out_and_which_goes_first() -> None:
    files = [
        "[epel]\nenabled=1\nexcludepkgs=erlang*,rabbitmq-server\npriority=50\n[epel-source]\nenabled=0\n",
        "[crb]\nexclude = a\n  b\npriority=high\n",
    ]
    assert origins.repositories(files, [], ["[main]\nexcludepkgs=kernel*\n"]) == {
        "epel": {"excluded": ["kernel*", "erlang*", "rabbitmq-server"], "priority": 50},
        "crb": {"excluded": ["kernel*", "a", "b"], "priority": None},
    }
