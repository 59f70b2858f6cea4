"""Keystone's keys: made where there are none, never touched where there are."""

from __future__ import annotations

import base64
import getpass
from pathlib import Path

import pytest

from installer.agent.host import Host
from installer.resources.base import from_wire, to_wire
from installer.resources.key_repository import KeyRepository, state


def converged(path: Path) -> KeyRepository:
    repository = KeyRepository(str(path), getpass.getuser())
    (before,) = KeyRepository.query([repository], Host()).values()
    if before != repository.expected():
        repository.fix(before, Host())
    assert list(KeyRepository.query([repository], Host()).values()) == [repository.expected()]
    return repository


@pytest.mark.parametrize(
    "there",
    [(), (0,), (1,), (0, 1), (0, 4, 5), (7,)],
    ids=["none", "cut off before its rotation", "cut off here", "fresh", "rotated", "without a staged one"],
)
def test_what_is_missing_is_made_and_what_is_there_stays(tmp_path: Path, there: tuple[int, ...]) -> None:
    for number in there:
        (tmp_path / str(number)).write_text(f"key {number}")
    (tmp_path / "0.tmp").write_text("left by a rotation that was cut off")
    converged(tmp_path)
    assert {int(file.name) for file in tmp_path.glob("[0-9]")} == {*there, 0, *(() if any(there) else (1,))}
    assert all((tmp_path / str(number)).read_text() == f"key {number}" for number in there)


def test_keys_are_random_and_only_their_account_reads_them(tmp_path: Path) -> None:
    converged(tmp_path)
    keys = {file.read_bytes() for file in tmp_path.iterdir()}
    assert [len(base64.urlsafe_b64decode(key)) for key in keys] == [32, 32]
    assert {file.stat().st_mode & 0o777 for file in tmp_path.iterdir()} == {0o600}


def test_an_empty_file_is_no_key(tmp_path: Path) -> None:
    (tmp_path / "1").touch()
    converged(tmp_path)
    assert (tmp_path / "1").stat().st_size == 44


def test_a_folder_that_is_not_there_yet_has_no_keys() -> None:
    assert state(()) is None
    (found,) = KeyRepository.query([KeyRepository("/no/such/folder", "root")], Host()).values()
    assert found is None


def test_it_crosses_the_wire() -> None:
    repository = KeyRepository("/etc/keystone/fernet-keys", "keystone")
    assert from_wire(to_wire(repository)) == repository
