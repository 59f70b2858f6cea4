"""Tempest's environment is made from a lock, with this machine's own package index."""

from __future__ import annotations

import re
import tomllib
from pathlib import Path

import pytest

from installer.resources.secret import Secret
from installer.tempest import environment
from installer.wheels.store import File, Store
from roles.openstack.locks.remake import Inputs
from tests.package_index import PackageIndex, lock, sha256, wheel


@pytest.fixture(autouse=True)
def _own_home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("XDG_CACHE_HOME", "XDG_CONFIG_HOME", "PIP_INDEX_URL", "PIP_CONFIG_FILE", "UV_DEFAULT_INDEX"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("HOME", str(tmp_path))


@pytest.mark.parametrize("release", Inputs.load().releases)
def test_every_release_has_its_locks(release: str) -> None:
    assert [path.name for path in environment.locks(release) if not path.is_file()] == []


def test_it_is_in_the_cache_and_another_release_has_another(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    assert environment.home("2026.2").parent == tmp_path / ".cache/pystack/tempest"
    assert environment.home("2026.2") != environment.home("2026.1")
    monkeypatch.setenv("XDG_CACHE_HOME", "relative")
    assert environment.base() == tmp_path / ".cache/pystack/tempest"
    monkeypatch.setenv("XDG_CACHE_HOME", "/elsewhere")
    assert environment.base() == Path("/elsewhere/pystack/tempest")


def test_the_index_of_the_answer_file_goes_before_everything(tmp_path: Path) -> None:
    (tmp_path / ".config/uv").mkdir(parents=True)
    (tmp_path / ".config/uv/uv.toml").write_text("")
    assert environment._configuration(tmp_path, None) == []
    (argument,) = environment._configuration(tmp_path, Secret("https://me:secret@index.example.org/simple"))
    path = Path(argument.removeprefix("--config-file="))
    assert path.stat().st_mode & 0o777 == 0o600
    told = tomllib.loads(path.read_text())
    assert told["index"] == [{"url": "https://me:secret@index.example.org/simple", "default": True}]


def test_uv_says_why_it_failed_and_what_to_look_at(tmp_path: Path) -> None:
    with pytest.raises(environment.TempestNotInstalled) as failed:
        environment._run(["sh", "-c", "echo 'error: No space left on device (os error 28)' >&2; exit 2"])
    assert "disk is full" in failed.value.message
    assert failed.value.exit_code == 6


def test_a_folder_that_cannot_be_made_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "file").write_text("")
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "file"))
    with pytest.raises(environment.TempestNotInstalled) as failed:
        environment.prepare("2026.2", None, print)
    assert str(tmp_path / "file") in failed.value.message


def test_what_a_bundle_does_not_have_is_not_had_from_an_index(tmp_path: Path) -> None:
    with pytest.raises(environment.TempestNotInstalled, match="the bundle does not have Tempest for this machine"):
        environment.prepare("2026.2", Secret("http://127.0.0.1:9/simple"), print, asks_index=False)


def test_it_is_made_of_what_a_bundle_brought_and_asks_no_index(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    file, data = wheel("alone", "1")
    for name, text in (("lock", lock(("alone==1", sha256(data)))), ("build", "")):
        (tmp_path / name).write_text(text)
    monkeypatch.setattr(environment, "locks", lambda release: (tmp_path / "lock", tmp_path / "build"))
    store = Store()
    store.note(environment.made_of("2026.2").name, [File(file, store.add([data], {sha256(data)}))])
    programs = environment.prepare("2026.2", Secret("http://127.0.0.1:9/simple"), print)
    assert list(programs.parent.glob("lib/*/site-packages/alone.py"))


@pytest.mark.parametrize(
    ("digest", "why"), [("0" * 64, "not what the lock names"), (None, "all requirements must have a hash")]
)
def test_a_lock_that_names_another_hash_or_none_is_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, digest: str | None, why: str
) -> None:
    with PackageIndex() as index:
        index.add(wheel("alone", "1"))
        for name, text in (("lock", lock(("alone==1", digest)) if digest else "alone==1\n"), ("build", "")):
            (tmp_path / name).write_text(text)
        monkeypatch.setattr(environment, "locks", lambda release: (tmp_path / "lock", tmp_path / "build"))
        with pytest.raises(environment.TempestNotInstalled) as failed:
            environment.prepare("2026.2", Secret(index.url), print)
    assert re.search(why, f"{failed.value.message} {failed.value.remedy}")
