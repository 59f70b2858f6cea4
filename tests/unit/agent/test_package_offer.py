"""Which packages dnf does not find, as dnf 4 and 5 say it."""

from __future__ import annotations

from typing import Any

import pytest

from installer.agent import package_offer
from installer.agent.package_list import Asking
from installer.resources import repository
from tests.unit.resources.fake_host import FakeHost

RPM = "rpm -q --whatprovides"


def told(monkeypatch: pytest.MonkeyPatch, said: tuple[int, str, str], **hosts: Any) -> tuple[dict[str, Any], FakeHost]:
    monkeypatch.setattr(repository, "on_this_host", lambda: {"crb": False})
    absent = "there\nno package provides a\nno package provides b\n"
    host = FakeHost({RPM: (2, absent, ""), "dnf ": said, **hosts})
    found = package_offer.lacking(["there", "a", "b"], ["crb", "rhel-crb"], Asking(host, {}, lambda: False))
    return found, host


def test_what_no_repository_has_is_told_and_what_is_installed_not_asked_for(monkeypatch: pytest.MonkeyPatch) -> None:
    said = (1, "Operation aborted.\n", "No match for argument: b\nNo match for argument: b\n")
    found, host = told(monkeypatch, said)
    assert found == {"missing": ["b"], "problem": ""}
    assert host.ran[-1].endswith("--enablerepo=crb install a b")


@pytest.mark.parametrize(
    "said",
    [
        (1, "", "Ignoring repositories: x\nNo match for argument: a\n"),
        (1, "", "Error: Failed to download metadata for repo 'x': Cannot download repomd.xml\n"),
    ],
)
def test_what_is_in_a_repository_that_cannot_be_read_is_not_called_missing(
    monkeypatch: pytest.MonkeyPatch, said: tuple[int, str, str]
) -> None:
    found, _ = told(monkeypatch, said)
    assert found["missing"] == []
    assert found["problem"]


def test_an_rpm_that_does_not_answer_is_a_problem(monkeypatch: pytest.MonkeyPatch) -> None:
    found, host = told(monkeypatch, (0, "", ""), **{RPM: (127, "", "no rpm")})
    assert (found["missing"], found["problem"]) == ([], "rpm cannot tell what is installed")
    assert len(host.ran) == 1


def test_where_all_is_installed_dnf_is_not_asked() -> None:
    host = FakeHost({RPM: "a\n"})
    asking = Asking(host, {}, lambda: False)
    assert package_offer.lacking(["a"], [], asking) == package_offer.lacking([], [], asking)
    assert host.ran == [f"{RPM} --qf %{{NAME}}\\n a"]
