"""Where files are kept: each whole and what its name says; what is in the way is told, and is no fault of pystack."""

from __future__ import annotations

import errno
import os
from pathlib import Path
from typing import Any

import pytest

from installer.wheels.store import File, Store, StoreNotWritable, WrongHash
from tests.package_index import sha256


def full(*_arguments: Any, **_options: Any) -> None:
    raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))


def test_a_full_disk_is_told_with_the_folder_and_leaves_nothing(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(os, "replace", full)
    for keep in (lambda: store.add([b"a"], {sha256(b"a")}), lambda: store.note("list", [File("a", sha256(b"a"))])):
        with pytest.raises(StoreNotWritable) as refused:
            keep()
        assert refused.value.message == f"files cannot be kept in {store.folder}: No space left on device"
        assert refused.value.remedy == "make room there, or set XDG_CACHE_HOME to another one"
    assert list(store.folder.iterdir()) == []


def test_what_cannot_be_read_is_told(store: Store) -> None:
    store.path(sha256(b"a")).mkdir()
    with pytest.raises(StoreNotWritable, match="Is a directory") as refused:
        store.has(sha256(b"a"))
    assert "readable and writable" in refused.value.remedy


def test_a_folder_that_cannot_be_made_is_told(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(StoreNotWritable, match="Not a directory"):
        Store(tmp_path / "file" / "wheels")


def test_what_breaks_off_or_is_something_else_leaves_nothing(store: Store) -> None:
    def broken() -> Any:
        yield b"half"
        raise RuntimeError("gone")

    with pytest.raises(RuntimeError):
        store.add(broken(), {sha256(b"half")})
    with pytest.raises(WrongHash, match=sha256(b"other")):
        store.add([b"other"], {sha256(b"a")})
    assert list(store.folder.iterdir()) == []


def test_a_file_that_was_damaged_is_not_there_for_the_next_run_and_is_removed(store: Store) -> None:
    digest = store.add([b"whole"], {sha256(b"whole")})
    store.path(digest).write_bytes(b"half")
    assert not Store(store.folder).has(digest)
    assert list(store.folder.iterdir()) == []
    assert store.path("0" * 64).parent == store.folder
    with pytest.raises(ValueError, match="is no sha256"):
        store.path("../own")
