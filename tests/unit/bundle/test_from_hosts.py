"""Packages that a host downloads, and that come over its link."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from concurrent.futures import Future
from pathlib import Path
from typing import Any

import pytest

from installer.bundle import from_hosts, packages
from installer.bundle.from_hosts import DownloadingHost
from installer.bundle.manifest import Infrastructure
from installer.errors import HostUnreachable
from installer.wheels.downloads import Downloads
from installer.wheels.store import Store

TOLD = {"bringing": [{"name": "source"}], "size": 7}
CONTENT = {"a": b"first package", "b": b"second", "c": b"third"}


class FakeSession:
    """The agent of a host that has packages.

    Args:
        address: of the host.
        trouble: what goes wrong.
    """

    def __init__(self, address: str, trouble: str = "") -> None:
        self.address = address
        self.trouble = trouble
        self.asked: list[str] = []
        self.parts = 0
        self.forgot = 0

    def download(
        self,
        wanted: Sequence[Mapping[str, str]],
        bringing: Sequence[Mapping[str, str]],
        size: int,
        repositories: Sequence[str],
        proxies: Mapping[str, str],
    ) -> Future[dict[str, Any]]:
        self.asked = [item["name"] for item in wanted]
        through = {"http_proxy": "http://192.0.2.1"}
        assert (bringing, size, repositories, proxies) == ([{"name": "source"}], 7, ["crb"], through)
        files = [
            {
                **{key: item[key] for key in ("name", "version", "architecture")},
                "size": len(CONTENT[item["name"]]),
                "sha256": hashlib.sha256(CONTENT[item["name"]]).hexdigest(),
                "signature": "good" if item["name"] == "a" else "",
            }
            for item in wanted
        ]
        if self.trouble == "one less":
            files.pop()
        if self.trouble == "another version":
            files[0]["version"] = "3:1-3.el10"
        said = "Cannot download http://somebody:hidden@mirror.example/b.rpm?token=hidden (gone)"
        return settled(
            {"files": [], "problem": said} if self.trouble == "download" else {"files": files, "problem": ""}
        )

    def part(self, sha256: str, offset: int, size: int) -> Future[bytes]:
        self.parts += 1
        if self.trouble == "link":
            lost: Future[bytes] = Future()
            lost.set_exception(HostUnreachable("h", "h: the link was lost\n  Broken pipe"))
            return lost
        if self.trouble == "gone":
            return settled(b"")
        (content,) = [data for data in CONTENT.values() if hashlib.sha256(data).hexdigest() == sha256]
        content = content.upper() if self.trouble == "other content" else content
        return settled(content[offset : offset + size] + (b"more" if self.trouble == "too much" else b""))

    def forget(self) -> Future[bool]:
        self.forgot += 1
        return settled(True)


def settled(value: Any) -> Future[Any]:
    future: Future[Any] = Future()
    future.set_result(value)
    return future


def listed(*names: str, problem: str = "") -> dict[str, Any]:
    return {
        "packages": [
            {"name": name, "version": "3:1-2.el10", "architecture": "noarch", "repository": "appstream"}
            for name in names
        ],
        "problem": problem,
    }


def fetched(tmp_path: Path, answers: Mapping[str, Any], sessions: Sequence[FakeSession]) -> Infrastructure:
    """Return what becomes of what hosts listed."""
    hosts: dict[str, Any] = {one.address: one for one in sessions}
    through = {"http_proxy": "http://192.0.2.1"}
    sources = {name: DownloadingHost(host, ["crb"], through, TOLD) for name, host in hosts.items()}
    downloads = Downloads()
    try:
        platform = packages.merged("el-10", "EL", answers)
        return packages.fetched(platform, downloads, sources, Store(tmp_path / "store"), print)
    finally:
        downloads.close()


def test_every_package_is_downloaded_by_one_host_and_comes_in_parts(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(from_hosts, "PART", 4)
    one, two = FakeSession("h1"), FakeSession("h2")
    got = fetched(tmp_path, {"h1": listed("a", "b"), "h2": listed("b", "c")}, [one, two])
    assert (one.asked, two.asked) == (["a", "b"], ["c"])
    assert (one.forgot, two.forgot) == (1, 1), "its folder is gone as soon as its files are here"
    assert one.parts > len(one.asked)
    assert got.lacks == ""
    assert packages.files_of(got) == {
        f"packages/el-10/{name}-1-2.el10.noarch.rpm": hashlib.sha256(data).hexdigest() for name, data in CONTENT.items()
    }
    assert got.packages[0] == {
        "name": "a",
        "version": "3:1-2.el10",
        "architecture": "noarch",
        "repository": "appstream",
        "sha256": hashlib.sha256(CONTENT["a"]).hexdigest(),
        "signature": "good",
        "member": "packages/el-10/a-1-2.el10.noarch.rpm",
    }
    assert "signature" not in got.packages[1]


def test_what_is_here_already_does_not_come_again(tmp_path: Path) -> None:
    Store(tmp_path / "store").add([CONTENT["a"]], {hashlib.sha256(CONTENT["a"]).hexdigest()})
    host = FakeSession("h")
    assert "member" in fetched(tmp_path, {"h": listed("a")}, [host]).packages[0]
    assert host.parts == 0


@pytest.mark.parametrize(
    ("trouble", "why"),
    [
        ("download", "h: Cannot download http://mirror.example/b.rpm (gone)"),
        ("link", "h: the link was lost"),
        ("gone", "h: what it downloaded is not there any more"),
        ("other content", "h: a-3:1-2.el10 came with the sha256 "),
        ("too much", "h: it sent 17 bytes where it was asked for 13"),
        ("one less", "h: it tells of other packages than it was asked for"),
        ("another version", "h: it tells of other packages than it was asked for"),
    ],
)
def test_packages_that_a_host_cannot_give_stay_a_list_with_the_reason(tmp_path: Path, trouble: str, why: str) -> None:
    host = FakeSession("h", trouble)
    got = fetched(tmp_path, {"h": listed("a", "b", problem="it is old")}, [host])
    assert host.forgot == 1
    assert packages.files_of(got) == {}
    assert got.packages[0] == {
        "name": "a",
        "version": "3:1-2.el10",
        "architecture": "noarch",
        "repository": "appstream",
    }
    assert got.lacks.startswith(
        f"the list of packages is not whole: h: it is old; the packages themselves are not in it: {why}"
    )
    assert "hidden" not in str(got)
    assert "\n" not in got.lacks


def test_a_host_cannot_lead_a_member_elsewhere(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(CONTENT, "../../etc/x", b"evil")
    (member,) = packages.files_of(fetched(tmp_path, {"h": listed("../../etc/x")}, [FakeSession("h")]))
    assert member == "packages/el-10/.._.._etc_x-1-2.el10.noarch.rpm"


def test_after_ctrl_c_nobody_waits_for_a_host(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def interrupted(*_arguments: Any) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(from_hosts, "keep", interrupted)
    host = FakeSession("h")
    with pytest.raises(KeyboardInterrupt):
        fetched(tmp_path, {"h": listed("a")}, [host])
    assert host.forgot == 0


def test_two_packages_that_would_become_one_member_are_refused(tmp_path: Path) -> None:
    answer = listed("a", "b")
    answer["packages"][1].update(name="a", version="4:1-2.el10")

    class Another(FakeSession):
        def download(self, wanted: Any, *others: Any) -> Future[dict[str, Any]]:
            answer = super().download(wanted, *others)
            second = CONTENT["b"]
            answer.result()["files"][1].update(size=len(second), sha256=hashlib.sha256(second).hexdigest())
            return answer

    got = fetched(tmp_path, {"h": answer}, [Another("h")])
    assert packages.files_of(got) == {}
    assert got.lacks.endswith("two packages with different content are both called a-1-2.el10.noarch.rpm")
