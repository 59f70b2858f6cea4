"""What hosts are given: the same wheels for all, or word that each shall ask its index."""

from __future__ import annotations

import json
import threading
from pathlib import Path
from typing import Any

import pytest

from installer.resources.wheels import list_name
from installer.wheels import fetching
from installer.wheels.giving import Bundled, Shared
from installer.wheels.store import File, Store
from tests.package_index import PackageIndex, lock, sha256, wheel


def shared(index: PackageIndex, tmp_path: Path) -> tuple[Shared, str, list[dict[str, Any]]]:
    (tmp_path / "lock.txt").write_text(lock(("a==1", index.add(wheel("a", "1")))))
    (tmp_path / "build.txt").write_text("")
    events: list[dict[str, Any]] = []
    blobs = {"1": tmp_path / "lock.txt", "2": tmp_path / "build.txt"}
    return Shared(index.url, blobs, events.append), list_name("1", "2", "3.12", "x86_64"), events


def test_hosts_that_ask_at_the_same_time_have_one_download(index: PackageIndex, tmp_path: Path) -> None:
    giver, name, events = shared(index, tmp_path)
    giver.on = True
    answers: list[bytes] = []
    hosts = [threading.Thread(target=lambda: answers.append(giver.offer(name))) for _ in range(5)]
    for host in hosts:
        host.start()
    for host in hosts:
        host.join()
    (files,) = {tuple(map(tuple, json.loads(answer)["files"])) for answer in answers}
    assert index.asked == {"a-1-py3-none-any.whl": 1}
    path = giver.path(files[0][1])
    assert path is not None
    assert path.read_bytes() == index.files["a-1-py3-none-any.whl"]
    assert events[-1]["done"]


def test_a_host_alone_asks_its_index_itself(index: PackageIndex, tmp_path: Path) -> None:
    giver, name, _ = shared(index, tmp_path)
    assert json.loads(giver.offer(name)) == {"files": None, "refused": ""}
    assert index.requests == 0


def test_when_this_machine_cannot_fetch_hosts_ask_their_index_and_it_is_said_once(
    index: PackageIndex, tmp_path: Path
) -> None:
    giver, _, events = shared(index, tmp_path)
    giver.on = True
    index.files.clear()
    assert giver.reaches() is False
    for version in ("3.12", "3.13"):
        assert json.loads(giver.offer(list_name("1", "2", version, "x86_64")))["files"] is None
    (said,) = [event["text"] for event in events if event["done"]]
    assert said.startswith(
        "this machine cannot fetch them; each host asks its own package index: the package index cann"
    )


def test_a_bundle_forbids_what_it_does_not_have(tmp_path: Path) -> None:
    store = Store(tmp_path / "store")
    digest = store.add([b"content"], {sha256(b"content")})
    giver = Bundled({"known": (File("a.whl", digest),)}, store)
    assert json.loads(giver.offer("known"))["files"] == [["a.whl", digest]]
    assert "does not have" in json.loads(giver.offer("other"))["refused"]
    assert giver.path(digest) == store.path(digest)
    assert giver.path("0" * 64) is None
    (tmp_path / "own").write_text("the operator's")
    assert giver.path("../own") is None, "a host asks by sha256 and nothing else"
    assert (tmp_path / "own").exists()


def test_an_index_that_breaks_off_in_the_middle_is_told_of_too(
    index: PackageIndex, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(fetching, "PAUSE", 0.0)
    giver, name, events = shared(index, tmp_path)
    giver.on = True
    (file,) = index.files
    index.broken.add(file)
    assert json.loads(giver.offer(name))["files"] is None
    assert "each host asks its own package index" in events[-1]["text"]
    assert "answers 503" in events[-1]["text"]
    assert index.asked[file] == fetching.TRIES


@pytest.mark.parametrize("proxy", ["socks5://somebody:hidden@192.0.2.1:1080", "ftp://somebody:hidden@192.0.2.1"])
def test_a_proxy_that_cannot_be_used_leaves_hosts_to_their_index(
    index: PackageIndex, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, proxy: str
) -> None:
    giver, name, events = shared(index, tmp_path)
    giver.on = True
    monkeypatch.setenv("ALL_PROXY", proxy)
    assert giver.reaches() is False
    assert json.loads(giver.offer(name))["files"] is None
    assert "this machine's proxy cannot be used to fetch wheels" in events[-1]["text"]
    assert "hidden" not in events[-1]["text"]
