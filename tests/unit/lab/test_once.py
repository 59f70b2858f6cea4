"""What the lab makes once is there whole or not at all."""

from __future__ import annotations

from pathlib import Path

import pytest

from installer.lab import once, places


@pytest.fixture(autouse=True)
def _own_locks(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(places, "LOCKS", tmp_path / "locks")


def write(folder: Path) -> None:
    folder.mkdir()
    (folder / "content").write_text("whole")


def test_it_is_made_once_and_told_of(tmp_path: Path) -> None:
    told: list[str] = []
    folder = tmp_path / "images" / "one"
    for _ in range(2):
        assert once.made(folder, "an image", 0, told.append, write) == folder
    assert (folder / "content").read_text() == "whole"
    assert told == ["making an image (once)", "made an image in 0 s"]


def test_what_was_cut_off_is_not_taken_for_it_and_is_in_nobodys_way(tmp_path: Path) -> None:
    folder = tmp_path / "one"

    def cut_off(unfinished: Path) -> None:
        write(unfinished)
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        once.made(folder, "an image", 0, places.silent, cut_off)
    assert not folder.exists()
    once.made(folder, "an image", 0, places.silent, write)
    assert [path.name for path in tmp_path.iterdir() if path.name != "locks"] == ["one"]
