"""Workshops for images: one that was cut off goes with the next, one in use stays."""

from __future__ import annotations

from pathlib import Path

import pytest

from installer.lab import image, places, workshop

MOUNTS = """\
22 1 8:1 / / rw shared:1 - ext4 /dev/sda1 rw
23 22 0:40 / /cache rw - tmpfs tmpfs rw
24 23 0:41 / /cache/workshop-1/root rw - overlay overlay rw
25 24 0:5 / /cache/workshop-1/root/proc rw - proc proc rw
26 23 0:42 / /cache-of-others rw - tmpfs tmpfs rw
"""


@pytest.fixture(autouse=True)
def ran(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> list[str]:
    commands: list[str] = []
    monkeypatch.setattr(places, "IMAGES", tmp_path / "images")
    monkeypatch.setattr(places, "LOCKS", tmp_path / "locks")
    monkeypatch.setattr(workshop, "resolv_conf", lambda: "")
    monkeypatch.setattr(workshop, "command", lambda argv: commands.append(argv[0]))
    places.IMAGES.mkdir()
    return commands


def test_what_is_mounted_below_a_folder_is_told_the_newest_first() -> None:
    assert places.mounts_below(Path("/cache"), MOUNTS) == ["/cache/workshop-1/root/proc", "/cache/workshop-1/root"]
    assert places.mounts_below(Path("/other"), MOUNTS) == []


def test_a_workshop_is_gone_afterwards_also_when_the_work_fails(ran: list[str]) -> None:
    def fail() -> None:
        with workshop.workshop(Path("/base")) as root:
            raise ValueError(f"work in {sorted(path.name for path in root.iterdir())}")

    with pytest.raises(ValueError, match=r"work in \['etc', 'work'\]"):
        fail()
    assert ran == ["mount"]
    assert list(places.IMAGES.iterdir()) == []


def test_a_workshop_that_was_cut_off_goes_with_the_next_and_one_in_use_stays(monkeypatch: pytest.MonkeyPatch) -> None:
    unmounted: list[Path] = []
    monkeypatch.setattr(workshop, "unmount_below", unmounted.append)
    left = places.IMAGES / "workshop-left"
    (left / "upper").mkdir(parents=True)
    with workshop.workshop(Path("/base")) as first:
        assert unmounted == [left]
        assert not left.exists()
        with workshop.workshop(Path("/base")) as second:
            assert first != second
            assert first.is_dir()
        assert first.is_dir()


def test_cached_images_are_purged_after_what_a_cut_off_run_left_mounted_among_them(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(places, "unmount_below", lambda folder: (folder / "unmounted").touch())
    seen: list[bool] = []
    monkeypatch.setattr(image.shutil, "rmtree", lambda folder: seen.append((folder / "unmounted").exists()))
    image.purge(places.silent)
    assert seen == [True]
