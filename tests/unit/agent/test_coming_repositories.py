"""Repositories that packages bring which are not installed: dnf is asked with them, and no more than is needed."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest

from installer.agent import coming_repositories, dnf_download, package_download, package_list, reach
from installer.agent.dnf_download import NotDownloaded
from installer.agent.package_list import Asking, Repositories
from installer.resources import dnf_configuration, repository
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
        self.unreadable = ""

    def __call__(self, names: Sequence[str], repositories: Repositories, asking: Asking) -> dict[str, Any]:
        assert repositories.names == ["crb"]
        assert asking.stopped is never
        self.roots.append(repositories.root)
        if repositories.root and self.unreadable:
            return {"packages": [], "problem": self.unreadable, "size": 0, "missing": []}
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
    told = downloads.would_install(["source", "python", "queue"], ["source"], ["crb"], Asking(one, {}, never))
    assert told["packages"] == [SOURCE, PYTHON, QUEUE]
    assert (told["problem"], told["bringing"]) == ("", [SOURCE])
    (unpacked,) = [line for line in one.ran if line.startswith("rpm --root")]
    assert "--noscripts" in unpacked, "what is not installed runs nothing"
    assert unpacked.endswith("/source-1.rpm")
    assert asked.roots[:2] == ["", ""]
    assert asked.roots[2].startswith(str(tmp_path))
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    ("names", "sources", "questions"),
    [
        (["source", "python"], ["source"], 1),
        (["python", "queue"], [], 1),
        (["python", "queue"], ["gone"], 2),
    ],
    ids=["nothing is missing", "nothing brings repositories", "what would bring them is not there"],
)
def test_nothing_is_downloaded_where_it_would_not_help(
    tmp_path: Path, asked: Asked, names: list[str], sources: list[str], questions: int
) -> None:
    told = package_download.Downloads(f"{tmp_path}/nosuch").would_install(
        names, sources, ["crb"], Asking(FakeHost(), {}, never)
    )
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
    told = downloads.would_install(["source", "queue"], ["source"], ["crb"], Asking(host(answers), {}, never))
    assert told["packages"] == [SOURCE]
    assert told["problem"].startswith("no queue; those that packages bring cannot be asked: ")
    assert why in told["problem"]
    assert list(tmp_path.iterdir()) == []


def test_a_repository_that_is_brought_and_cannot_be_read_leaves_the_list_of_the_others(
    tmp_path: Path, asked: Asked
) -> None:
    asked.unreadable = "cannot be read: repository coming"
    downloads = package_download.Downloads(str(tmp_path))
    told = downloads.would_install(["source", "queue"], ["source"], ["crb"], Asking(host(), {}, never))
    assert told["packages"] == [SOURCE]
    assert told["problem"] == "no queue; those that packages bring cannot be asked: cannot be read: repository coming"
    assert "bringing" not in told


@pytest.mark.parametrize("known", [True, False], ids=["the host's rpm knows who signed it", "nobody knows"])
def test_what_brings_repositories_is_not_trusted_for_a_key_that_nobody_has_here(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, known: bool
) -> None:
    text = "[one]\ngpgcheck=1\ngpgkey=https://keys.example.org/one\n"
    monkeypatch.setattr(repository, "files_on_this_host", lambda: ([text], []))
    said = f"PATH/source-1.rpm: digests {'signatures ' if known else ''}OK\n"
    one = host({"rpm -E": "10\n", "rpmkeys --checksig /": (0 if known else 1, said, "")})

    def brought() -> Repositories:
        return coming_repositories.brought([SOURCE], ["crb"], f"{tmp_path}/first", Asking(one, {}, never))

    if known:
        assert brought() == Repositories(["crb"], f"{tmp_path}/first/root")
        return
    with pytest.raises(NotDownloaded, match=r"signed neither .*: source-1\.rpm"):
        brought()
    assert not any(line.startswith("rpm --root") for line in one.ran)


def test_of_a_repository_that_the_host_has_its_own_definition_counts(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    own, theirs = tmp_path / "own", tmp_path / "root/etc/yum.repos.d"
    for folder, key in ((own, "own"), (theirs, "theirs")):
        folder.mkdir(parents=True)
        (folder / "a.repo").write_text(f"[base]\ngpgcheck=1\ngpgkey=file:///{key}.key\n")
    (theirs / "b.repo").write_text("[coming]\ngpgcheck=1\ngpgkey=file:///coming.key https://keys.example.org/c\n")
    (tmp_path / "root/coming.key").touch()
    monkeypatch.setattr(repository, "files_on_this_host", lambda: ([(own / "a.repo").read_text()], []))
    keys = dnf_download._keys(f"{tmp_path}/root", FakeHost({"rpm -E": "10\n"}))
    assert keys == {
        "base": ["file:///own.key"],
        "coming": [f"{tmp_path}/root/coming.key", "https://keys.example.org/c"],
    }


def test_folders_that_dnfs_own_configuration_names_are_kept(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    mine = [tmp_path / name for name in ("a", "b")]
    for folder in (*mine, tmp_path / "root/etc/yum.repos.d"):
        folder.mkdir(parents=True)
    text = f"[main]\nreposdir={mine[0]}, {mine[1]}\n"
    monkeypatch.setattr(dnf_configuration, "texts", lambda: ["[main]\nreposdir=/nosuch\n", text, "[main]\n"])
    monkeypatch.setattr(repository, "on_this_host", dict)
    (option, _) = Repositories([], f"{tmp_path}/root").options()
    assert option == f"--setopt=reposdir={mine[0]},{mine[1]},{tmp_path}/root/etc/yum.repos.d"


def test_dnf_and_keys_are_looked_up_in_what_was_unpacked_too(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    root = tmp_path / "root"
    for folder, name, text in (
        ("etc/yum.repos.d", "coming.repo", "[coming]\ngpgcheck=1\ngpgkey=file:///etc/pki/key-$group\n"),
        ("etc/dnf/vars", "group", "nfv\n"),
    ):
        (root / folder).mkdir(parents=True)
        (root / folder / name).write_text(text)
    monkeypatch.setattr(dnf_configuration, "REPOSITORIES", ("/etc/yum.repos.d",))
    monkeypatch.setattr(repository, "on_this_host", lambda: {"crb": False})
    options = Repositories(["crb", "nosuch"], str(root)).options()
    assert options[0] == "--enablerepo=crb"
    there = {word.partition("=")[2].partition("=")[0]: word.split("=")[-1].split(",") for word in options[1:]}
    assert there["reposdir"][-1] == f"{root}/etc/yum.repos.d"
    assert there["varsdir"][-1] == f"{root}/etc/dnf/vars"
    assert reach.dnf_variables(FakeHost({"rpm -E": "10\n"}), str(root))["group"] == "nfv"
    assert "[coming]" in repository.files_below(str(root))[-1]
    assert package_list.Repositories(["crb"]).options() == ["--enablerepo=crb"]
