"""A repository that the distribution brings switched off."""

from __future__ import annotations

from pathlib import Path

import pytest

from installer.resources import repository
from installer.resources.repository import Repository, switched
from tests.unit.resources.fake_host import FakeHost

CRB = Repository(("crb", "codeready-builder-for-rhel-9-x86_64-rpms"))


@pytest.fixture
def files(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setattr(repository, "FILES", str(tmp_path / "*.repo"))
    return tmp_path


def test_a_repository_is_on_if_its_file_does_not_say_otherwise() -> None:
    text = "[main]\nx=1\n[baseos]\nname=B\n[crb]\nenabled=0\n[a]\nenabled = True\n[b]\nenabled=no\n"
    assert switched([text, "no configuration\n"]) == {"baseos": True, "crb": False, "a": True, "b": False}


@pytest.mark.parametrize(
    ("text", "state"),
    [
        ("[crb]\nenabled=0\n", "off"),
        ("[crb]\nenabled=1\n", "on"),
        ("[codeready-builder-for-rhel-9-x86_64-rpms]\nenabled = 0\n", "off"),
        ("[codeready-builder-for-rhel-9-x86_64-rpms]\nenabled = 1\n", "on"),
        ("[site-mirror]\nenabled = 1\n", "on"),
    ],
)
def test_what_counts_is_the_name_that_the_host_knows(files: Path, text: str, state: str) -> None:
    (files / "some.repo").write_text(text)
    assert Repository.query([CRB], FakeHost()) == {CRB.id: {"state": state}}


@pytest.mark.parametrize("name", CRB.ids)
def test_it_is_switched_on_by_the_name_that_the_host_knows(files: Path, name: str) -> None:
    (files / "some.repo").write_text(f"[baseos]\nenabled=1\n[{name}]\nenabled=0\n")
    host = FakeHost({"dnf config-manager --set-enabled": ""})
    CRB.fix({"state": "off"}, host)
    assert host.ran == [f"dnf config-manager --set-enabled {name}"]
