"""Wheels that the controller sends: only those that the host lacks, each checked, and no index is asked then."""

from __future__ import annotations

import errno
import json
import os
import shutil
import sys
import tempfile
from pathlib import Path
from typing import Any

import pytest
from uv import find_uv_bin

from installer.agent.host import CommandFailed, Host
from installer.resources import uv, wheels
from installer.resources.base import CannotFix
from installer.resources.file import File
from installer.resources.secret import Secret
from installer.resources.virtual_environment import VirtualEnvironment
from tests.package_index import PackageIndex, lock, sha256, wheel


class Controller:
    """Has contents by name, and notes what it was asked for."""

    def __init__(self, **contents: bytes) -> None:
        self.contents = dict(contents)
        self.asked: list[str] = []
        self.host = Host(fetch=self.fetch)

    def fetch(self, name: str) -> bytes:
        self.asked.append(name)
        return self.contents[name]


@pytest.fixture(autouse=True)
def _as_root() -> None:
    if os.geteuid() != 0:
        pytest.skip("what the host keeps belongs to root")


def test_only_wheels_that_the_host_lacks_are_brought(tmp_path: Path) -> None:
    contents = {name: name.encode() for name in ("a.whl", "b.whl", "c.whl")}
    wanted = [(name, sha256(data)) for name, data in contents.items()]
    controller = Controller(**{sha256(data): data for data in contents.values()})
    (tmp_path / "a.whl").write_bytes(contents["a.whl"])
    (tmp_path / "b.whl").write_bytes(b"damaged")
    assert wheels.bring(wanted, controller.host, str(tmp_path)) == str(tmp_path)
    assert {path.name: path.read_bytes() for path in tmp_path.iterdir()} == contents
    assert sorted(controller.asked) == sorted(sha256(contents[name]) for name in ("b.whl", "c.whl"))
    wheels.bring(wanted, controller.host, str(tmp_path))
    assert len(controller.asked) == 2


def test_a_wheel_that_came_changed_is_refused_and_not_kept(tmp_path: Path) -> None:
    controller = Controller(**{"0" * 64: b"something else"})
    with pytest.raises(CannotFix, match=r"a\.whl came with the sha256 "):
        wheels.bring([("a.whl", "0" * 64)], controller.host, str(tmp_path))
    assert list(tmp_path.iterdir()) == []


def test_a_program_or_a_lock_that_came_changed_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(uv, "PROGRAMS", str(tmp_path))
    with pytest.raises(CannotFix, match="uv came with the sha256 "):
        uv._program("0" * 64, Controller(**{"0" * 64: b"something else"}).host)
    assert not list(tmp_path.glob("*/uv"))
    with pytest.raises(CannotFix, match=r"/etc/a came with the sha256 "):
        File("/etc/a", blob="0" * 64).fix(None, Controller(**{"0" * 64: b"something else"}).host)


def test_a_disk_that_is_full_is_told_with_the_folder_and_stops_the_others(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(*_arguments: Any) -> None:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    monkeypatch.setattr(wheels, "write_atomically", full)
    contents = {sha256(data): data for data in (bytes([number]) for number in range(100))}
    controller = Controller(**contents)
    with pytest.raises(CannotFix) as refused:
        wheels.bring([(f"{name}.whl", name) for name in contents], controller.host, str(tmp_path))
    assert str(refused.value) == f"wheels cannot be kept in {tmp_path}: No space left on device"
    assert len(controller.asked) < len(contents)


@pytest.mark.parametrize("name", ["../a.whl", "/etc/a.whl", ".a.whl", ""])
def test_a_name_that_leads_elsewhere_is_refused(tmp_path: Path, name: str) -> None:
    with pytest.raises(CannotFix, match="is no name of a wheel"):
        wheels.bring([(name, "0" * 64)], Controller().host, str(tmp_path))


def test_what_the_controller_answers() -> None:
    answers: dict[str, Any] = {"none": {"files": None, "refused": ""}, "no": {"files": None, "refused": "it lacks"}}
    controller = Controller(**{name: json.dumps(answer).encode() for name, answer in answers.items()})
    assert wheels.offered("none", controller.host) is None
    with pytest.raises(CannotFix, match="it lacks"):
        wheels.offered("no", controller.host)


@pytest.fixture
def _own_folders(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Let environments be made of nothing of this machine's but its interpreter."""
    for name, folder in (("CACHE", "uv"), ("PROGRAMS", "programs")):
        monkeypatch.setattr(uv, name, str(tmp_path / folder))
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    monkeypatch.setattr(wheels.bring, "__defaults__", (str(tmp_path / "wheels"),))
    monkeypatch.setattr(uv, "HOST_CONFIGURATION", ())
    monkeypatch.setattr(uv, "host_proxies", dict)
    monkeypatch.setattr(uv, "read_pip", dict)


def environment(
    tmp_path: Path, text: str, sent: list[tuple[str, bytes]] | None, index: str = ""
) -> tuple[VirtualEnvironment, Controller, str]:
    """Return an environment of a lock, a controller that has what it takes, and the name of its list of wheels."""
    program = Path(find_uv_bin()).read_bytes()
    version = f"{sys.version_info.major}.{sys.version_info.minor}"
    listed = wheels.list_name(sha256(text.encode()), sha256(b""), version, os.uname().machine)
    files = None if sent is None else [(file, sha256(data)) for file, data in sent]
    answer = json.dumps({"files": files, "refused": ""}).encode()
    contents = {sha256(data): data for data in (text.encode(), b"", program, *(data for _, data in sent or ()))}
    item = VirtualEnvironment(
        str(tmp_path / "environment"),
        os.path.realpath(sys.executable),
        version,
        sha256(text.encode()),
        sha256(b""),
        sha256(program),
        Secret(index) if index else None,
    )
    return item, Controller(**contents, **{listed: answer}), listed


@pytest.mark.usefixtures("_own_folders")
def test_an_environment_is_made_of_what_was_sent_although_an_index_is_configured(tmp_path: Path) -> None:
    file, data = wheel("alone", "1")
    text = lock(("alone==1", sha256(data)))
    item, controller, listed = environment(tmp_path, text, [(file, data)])
    item.fix(None, controller.host)
    assert VirtualEnvironment.query([item], controller.host) == {item.id: item.expected()}
    assert list(Path(item.path).glob("lib/*/site-packages/alone.py"))
    # Made anew, nothing has to come again but the locks.
    shutil.rmtree(item.path)
    before = len(controller.asked)
    item.fix(None, controller.host)
    assert set(controller.asked[before:]) == {listed, sha256(text.encode()), sha256(b"")}


@pytest.mark.usefixtures("_own_folders")
def test_an_environment_is_not_made_where_wheels_lack_among_those_that_were_sent(tmp_path: Path) -> None:
    item, controller, _ = environment(tmp_path, lock(("alone==1", "0" * 64)), [])
    with pytest.raises(CommandFailed, match="the wheels that were sent do not have alone"):
        item.fix(None, controller.host)


#: uv checks a hash that the lock has in any case; that each requirement must have one, it must be told.
HASHES = {
    "the hash of what is served": ("--hash=sha256:{}", ""),
    "the hash of something else": (f"--hash=sha256:{'0' * 64}", "serves as alone==1 is not what the lock names"),
    "no hash": ("", "all requirements must have a hash"),
}


@pytest.mark.usefixtures("_own_folders")
@pytest.mark.parametrize("by", ["index", "controller"])
@pytest.mark.parametrize(("named", "refusal"), HASHES.values(), ids=HASHES)
def test_an_environment_is_made_only_of_what_the_lock_has_the_hashes_of(
    tmp_path: Path, by: str, named: str, refusal: str
) -> None:
    file, data = wheel("alone", "1")
    text = f"alone==1 {named.format(sha256(data))}\n"
    with PackageIndex() as index:
        index.add((file, data))
        item, controller, _ = environment(tmp_path, text, None if by == "index" else [(file, data)], index.url)
        if refusal:
            with pytest.raises(CommandFailed, match=refusal):
                item.fix(None, controller.host)
            assert not list(Path(item.path).glob("lib/*/site-packages/alone.py"))
            assert VirtualEnvironment.query([item], controller.host) == {item.id: None}
        else:
            item.fix(None, controller.host)
            assert VirtualEnvironment.query([item], controller.host) == {item.id: item.expected()}
        assert bool(index.requests) is (by == "index" and named != "")
