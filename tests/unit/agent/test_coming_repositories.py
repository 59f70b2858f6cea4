"""Repositories that packages bring which are not installed: dnf is asked with them, and no more than is needed."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import pytest

from installer.agent import coming_repositories, package_download, package_list, reach
from installer.agent.package_list import Repositories
from installer.resources import repository
from tests.unit.agent.test_package_download import DnfHost
from tests.unit.resources.fake_host import FakeHost

SOURCE = {"name": "source", "version": "1-1", "architecture": "noarch", "repository": "one"}
PYTHON = {"name": "python", "version": "3-1", "architecture": "x86_64", "repository": "one"}
QUEUE = {"name": "queue", "version": "4-1", "architecture": "noarch", "repository": "coming"}


def never() -> bool:
    return False


class Asked:
    """What dnf would install, by whether the repository that ``source`` brings is there."""

    def __init__(self) -> None:
        self.roots: list[str] = []

    def __call__(
        self, names: Sequence[str], repositories: Repositories, _host: Any, _proxies: Any, stopped: Callable[[], bool]
    ) -> dict[str, Any]:
        assert repositories.names == ["crb"]
        assert stopped is never
        self.roots.append(repositories.root)
        known = [SOURCE, PYTHON, *([QUEUE] if repositories.root else [])]
        found = [item for item in known if item["name"] in names]
        missing = sorted(set(names) - {item["name"] for item in found})
        return {"packages": found, "problem": f"no {missing[0]}" if missing else "", "size": 1, "missing": missing}


@pytest.fixture
def asked(monkeypatch: pytest.MonkeyPatch) -> Asked:
    found = Asked()
    monkeypatch.setattr(coming_repositories.package_list, "would_install", found)
    return found


def host(answers: dict[str, Any] | None = None) -> DnfHost:
    files = {"source-1.rpm": ("source 0:1-1 noarch", b"repositories")}
    return DnfHost(files, {"rpm --root": "", **(answers or {})})


def test_dnf_is_asked_again_with_what_packages_bring_and_nothing_stays(tmp_path: Path, asked: Asked) -> None:
    one = host()
    downloads = package_download.Downloads(str(tmp_path))
    told = downloads.would_install(["source", "python", "queue"], ["source", "python"], ["crb"], one, {}, never)
    assert told["packages"] == [SOURCE, PYTHON, QUEUE]
    assert (told["problem"], told["bringing"]) == ("", [SOURCE])
    (unpacked,) = [line for line in one.ran if line.startswith("rpm --root")]
    assert "--noscripts" in unpacked, "what is not installed runs nothing"
    assert unpacked.endswith("/source-1.rpm")
    assert asked.roots[:2] == ["", ""]
    assert asked.roots[2].startswith(str(tmp_path))
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    ("names", "early", "questions"),
    [
        (["source", "python"], ["source", "python"], 1),
        (["python", "queue"], [], 1),
        (["python", "queue"], ["python"], 2),
    ],
    ids=["nothing is missing", "nothing comes early", "what comes early brings no repository"],
)
def test_nothing_is_downloaded_where_it_would_not_help(
    tmp_path: Path, asked: Asked, names: list[str], early: list[str], questions: int
) -> None:
    told = package_download.Downloads(f"{tmp_path}/nosuch").would_install(names, early, ["crb"], FakeHost(), {}, never)
    assert "bringing" not in told
    assert len(asked.roots) == questions


@pytest.mark.parametrize(
    ("answers", "why"),
    [
        ({"dnf ": (1, "", "Error: Failed to download metadata for repo 'x'\n")}, "cannot be read: repository x"),
        ({"rpm --root": (1, "", "error: source-1.rpm: no\n")}, "source-1.rpm: no"),
    ],
    ids=["dnf", "rpm"],
)
def test_what_packages_bring_and_cannot_be_had_is_told_with_the_list(
    tmp_path: Path, asked: Asked, answers: dict[str, Any], why: str
) -> None:
    downloads = package_download.Downloads(str(tmp_path))
    told = downloads.would_install(["source", "queue"], ["source"], ["crb"], host(answers), {}, never)
    assert told["packages"] == [SOURCE]
    assert told["problem"].startswith("no queue; those that packages bring cannot be asked: ")
    assert why in told["problem"]
    assert list(tmp_path.iterdir()) == []


def test_dnf_and_keys_are_looked_up_in_what_was_unpacked_too(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    root = tmp_path / "root"
    for folder, name, text in (
        ("etc/yum.repos.d", "coming.repo", "[coming]\ngpgcheck=1\ngpgkey=file:///etc/pki/key-$group\n"),
        ("etc/dnf/vars", "group", "nfv\n"),
    ):
        (root / folder).mkdir(parents=True)
        (root / folder / name).write_text(text)
    monkeypatch.setattr(repository, "FILES", ("/etc/yum.repos.d",))
    monkeypatch.setattr(repository, "on_this_host", lambda: {"crb": False})
    options = Repositories(["crb", "nosuch"], str(root)).options()
    assert options[0] == "--enablerepo=crb"
    there = {word.partition("=")[2].partition("=")[0]: word.split("=")[-1].split(",") for word in options[1:]}
    assert there["reposdir"][-1] == f"{root}/etc/yum.repos.d"
    assert there["varsdir"][-1] == f"{root}/etc/dnf/vars"
    assert reach.dnf_variables(FakeHost({"rpm -E": "10\n"}), str(root))["group"] == "nfv"
    assert "[coming]" in repository.files_on_this_host(str(root))[0][-1]
    assert package_list.Repositories(["crb"]).options() == ["--enablerepo=crb"]
