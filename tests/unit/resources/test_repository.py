"""Repositories that a distribution leaves off: what is read of dnf's files, and how one is enabled."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import yaml

from installer.resources import dnf_configuration, repository
from installer.resources.base import CannotFix, differs
from installer.resources.repository import Repository, enabled
from tests.unit.resources.fake_host import FakeHost

CASES = yaml.safe_load((Path(__file__).parent / "cases/repositories.yaml").read_text())
ON_RHEL = "codeready-builder-for-rhel-10-x86_64-rpms"
CRB = Repository("crb", ON_RHEL)


@pytest.mark.parametrize("case", CASES, ids=[case["why"] for case in CASES])
def test_what_is_enabled_is_read_from_files(case: dict[str, Any]) -> None:
    assert enabled(case["files"], case.get("overrides", ())) == case["found"]


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setattr(dnf_configuration, "REPOSITORIES", (str(tmp_path),))
    monkeypatch.setattr(repository, "OVERRIDES", (str(tmp_path / "overrides"),))
    (tmp_path / "overrides").mkdir()
    return tmp_path


@pytest.mark.parametrize(
    ("version", "command", "written"),
    [
        ("4.14.0\n  Installed: dnf-0:4.14.0", "dnf config-manager --set-enabled crb", "distro.repo"),
        (
            "dnf5 version 5.2.10.0\n",
            "dnf config-manager setopt --create-missing-dir crb.enabled=1",
            "overrides/99-config_manager.repo",
        ),
    ],
)
def test_it_is_enabled_in_the_words_of_each_dnf_and_then_nothing_is_left_to_do(
    folder: Path, version: str, command: str, written: str
) -> None:
    (folder / "distro.repo").write_text("[crb]\nenabled=0\n")
    before = CRB.query([CRB], FakeHost())[CRB.id]
    assert before == {"enabled": "no"}
    host = FakeHost({"dnf --version": version, command: ""})
    CRB.fix(before, host)
    assert host.ran[-1] == command
    (folder / written).write_text("[crb]\nenabled=1\n")
    assert not differs(CRB, CRB.query([CRB], FakeHost())[CRB.id])


def test_on_rhel_it_counts_under_its_name_there_and_is_left_to_rhels_own_tool(folder: Path) -> None:
    (folder / "redhat.repo").write_text(f"[{ON_RHEL}]\nenabled=0\n")
    with pytest.raises(CannotFix, match=rf"subscription-manager repos --enable {ON_RHEL}$"):
        CRB.fix(CRB.query([CRB], FakeHost())[CRB.id], FakeHost())
    (folder / "redhat.repo").write_text(f"[{ON_RHEL}]\nenabled=1\n")
    assert not differs(CRB, CRB.query([CRB], FakeHost())[CRB.id])


def test_a_host_without_it_is_told_what_to_do_and_what_rhel_calls_it(folder: Path) -> None:
    assert CRB.query([CRB], FakeHost())[CRB.id] is None
    with pytest.raises(CannotFix, match=rf"is called crb: bring back .*; on RHEL it is {ON_RHEL}"):
        CRB.fix(None, FakeHost())


@pytest.mark.parametrize(
    ("version", "said", "package"),
    [
        ("4.14.0", "No such command: config-manager. Please use dnf --help", "dnf-command(config-manager)"),
        ("dnf5 version 5.2", 'Unknown argument "config-manager" for command "dnf5".', "dnf5-command(config-manager)"),
    ],
)
def test_a_dnf_without_the_plugin_gets_it(
    folder: Path, monkeypatch: pytest.MonkeyPatch, version: str, said: str, package: str
) -> None:
    (folder / "distro.repo").write_text("[crb]\nenabled=0\n")
    host = FakeHost({"dnf --version": version, "dnf config-manager": (1, "", said)})
    installed: list[str] = []

    def change(wanted: list[str], *_: Any) -> None:
        installed.extend(wanted)
        host.answers["dnf config-manager"] = ""

    monkeypatch.setattr(repository.transaction, "begin", lambda: None)
    monkeypatch.setattr(repository.dnf, "change", change)
    CRB.fix({"enabled": "no"}, host)
    assert installed == [package]


def test_a_dnf_that_cannot_enable_it_is_quoted(folder: Path) -> None:
    (folder / "distro.repo").write_text("[crb]\nenabled=0\n")
    host = FakeHost({"dnf --version": "4.14.0", "dnf config-manager": (1, "", "Error: disk full\n")})
    with pytest.raises(CannotFix, match=r"cannot enable the repository crb: Error: disk full; "):
        CRB.fix({"enabled": "no"}, host)
