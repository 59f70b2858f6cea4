"""A bundle is written whole or not at all, and every byte of it is checked when it is read."""

from __future__ import annotations

import errno
import io
import json
import os
import stat
import tarfile
from collections.abc import Callable
from pathlib import Path

import pytest

from installer.bundle import archive
from installer.bundle.manifest import BundleRefused, Contents, Infrastructure, Manifest, Member
from installer.wheels.store import File, Store, StoreNotWritable
from tests.package_index import sha256

DATA = {"uv": b"program", "wheels/a-1-py3-none-any.whl": b"a wheel", "packages/debian-13/p_1_all.deb": b"a package"}


def manifest(**other: object) -> Manifest:
    values: dict[str, object] = {
        "pystack": "1",
        "release": "2026.2",
        "machine": "x86_64",
        "environments": {"env": Contents("2026.2", (File("a-1-py3-none-any.whl", sha256(b"a wheel")),))},
        "platforms": [Infrastructure("debian-13", "Debian", ("h",), ({"name": "p", "version": "1"},), "no mirror")],
        "members": {name: Member(len(data), sha256(data)) for name, data in DATA.items()},
        **other,
    }
    return Manifest(**values)  # type: ignore[arg-type]


@pytest.fixture
def bundle(tmp_path: Path) -> Path:
    files = {}
    for number, (name, data) in enumerate(DATA.items()):
        files[name] = tmp_path / f"file-{number}"
        files[name].write_bytes(data)
    archive.write(tmp_path / "b.tar", manifest(), files)
    return tmp_path / "b.tar"


def changed(path: Path, change: Callable[[dict[str, bytes]], None]) -> Path:
    """Return a copy of an archive in which something else is."""
    with tarfile.open(path) as old:
        members = {entry.name: old.extractfile(entry).read() for entry in old}  # type: ignore[union-attr]
    change(members)
    with tarfile.open(path.with_name("changed.tar"), "w") as new:
        for name, data in members.items():
            entry = tarfile.TarInfo(name)
            entry.size = len(data)
            new.addfile(entry, io.BytesIO(data))
    return path.with_name("changed.tar")


def test_what_is_written_is_read_again_and_is_for_its_owner_only(bundle: Path, tmp_path: Path) -> None:
    store = Store(tmp_path / "store")
    assert archive.read(bundle, store) == manifest()
    assert stat.S_IMODE(bundle.stat().st_mode) == 0o600
    assert all(store.has(sha256(data)) for data in DATA.values())
    assert store.noted("env") == (File("a-1-py3-none-any.whl", sha256(b"a wheel")),)
    with tarfile.open(bundle) as opened:
        assert opened.getnames() == ["manifest.json", *sorted(DATA)]


def test_an_archive_that_cannot_be_written_leaves_the_old_one(bundle: Path, tmp_path: Path) -> None:
    before = bundle.read_bytes()
    with pytest.raises(FileNotFoundError):
        archive.write(bundle, manifest(), dict.fromkeys(DATA, tmp_path / "missing"))
    assert bundle.read_bytes() == before
    assert [path.name for path in tmp_path.glob(".*")] == []


def damage(members: dict[str, bytes]) -> None:
    members["wheels/a-1-py3-none-any.whl"] = b"another"


def smuggle(members: dict[str, bytes]) -> None:
    members["../../etc/evil"] = b"x"


def lose(members: dict[str, bytes]) -> None:
    del members["uv"]


def lose_manifest(members: dict[str, bytes]) -> None:
    del members["manifest.json"]


def newer(members: dict[str, bytes]) -> None:
    members["manifest.json"] = json.dumps({**json.loads(members["manifest.json"]), "format": 2}).encode()


def garbled(members: dict[str, bytes]) -> None:
    members["manifest.json"] = b'{"format": 1}'


def promise(members: dict[str, bytes]) -> None:
    told = json.loads(members["manifest.json"])
    told["environments"]["env"]["files"].append({"name": "b.whl", "sha256": "0" * 64})
    members["manifest.json"] = json.dumps(told).encode()


def lead_elsewhere(members: dict[str, bytes]) -> None:
    told = json.loads(members["manifest.json"])
    told["members"]["uv"]["sha256"] = "../../" + "0" * 58
    members["manifest.json"] = json.dumps(told).encode()


def name_elsewhere(members: dict[str, bytes]) -> None:
    told = json.loads(members["manifest.json"])
    told["environments"]["env"]["files"][0]["name"] = "../a.whl"
    members["manifest.json"] = json.dumps(told).encode()


def inflate(members: dict[str, bytes]) -> None:
    members["uv"] += b"more"


@pytest.mark.parametrize(
    ("change", "said"),
    [
        (inflate, "uv has 11 bytes, and the manifest says 7"),
        (lead_elsewhere, "its manifest cannot be read: .* is no sha256"),
        (name_elsewhere, "its manifest cannot be read: .* is no name of a file"),
        (damage, r"a-1-py3-none-any\.whl has the sha256 [0-9a-f]{64}, and the manifest says"),
        (smuggle, r"holds \.\./\.\./etc/evil, which its manifest does not name"),
        (lose, "lacks what its manifest names: uv"),
        (lose_manifest, "is not a bundle of pystack"),
        (newer, "is a bundle of format 2, and this pystack reads format 1"),
        (garbled, "its manifest cannot be read"),
        (promise, r"lacks what its manifest names: b\.whl"),
    ],
)
def test_a_bundle_that_is_not_what_it_should_be_is_refused(
    bundle: Path, tmp_path: Path, change: Callable[[dict[str, bytes]], None], said: str
) -> None:
    with pytest.raises(BundleRefused, match=said) as refused:
        archive.read(changed(bundle, change), Store(tmp_path / "store"))
    assert refused.value.exit_code == 2


def test_a_bundle_that_was_cut_off_or_is_no_archive_is_refused(bundle: Path, tmp_path: Path) -> None:
    store = Store(tmp_path / "store")
    whole = bundle.read_bytes()
    for data in (whole[:3000], b"hello", b""):
        bundle.write_bytes(data)
        with pytest.raises(BundleRefused):
            archive.read(bundle, store)
    with pytest.raises(BundleRefused, match="No such file"):
        archive.read(tmp_path / "nowhere", store)


def test_members_that_are_no_files_are_refused(bundle: Path, tmp_path: Path) -> None:
    store = Store(tmp_path / "store")
    for kind in (tarfile.SYMTYPE, tarfile.LNKTYPE, tarfile.CHRTYPE, tarfile.FIFOTYPE, tarfile.DIRTYPE):
        for name in ("manifest.json", "uv"):
            entry = tarfile.TarInfo(name)
            entry.type, entry.linkname = kind, "/etc/shadow"
            with tarfile.open(bundle) as old, tarfile.open(tmp_path / "odd.tar", "w") as new:
                for member in old:
                    new.addfile(*((entry,) if member.name == name else (member, old.extractfile(member))))
            with pytest.raises(BundleRefused, match=r"is no file|does not begin with"):
                archive.read(tmp_path / "odd.tar", store)


def test_a_manifest_that_would_fill_the_memory_is_refused(
    bundle: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(archive, "LARGEST_MANIFEST", 100)
    with pytest.raises(BundleRefused, match="is not a bundle of pystack"):
        archive.read(bundle, Store(tmp_path / "store"))


def test_a_disk_that_is_full_here_is_not_taken_for_a_damaged_bundle(
    bundle: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    store = Store(tmp_path / "store")

    def full(*_arguments: object) -> None:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    monkeypatch.setattr(os, "replace", full)
    with pytest.raises(StoreNotWritable, match="No space left"):
        archive.read(bundle, store)


def test_what_a_killed_run_left_half_written_is_taken_away(bundle: Path) -> None:
    left = bundle.with_name(".b.tar.new-999999999.abcdefgh")
    left.touch()
    archive.write(bundle, manifest(members={}), {})
    assert not left.exists()


def test_what_a_damaged_bundle_still_has_is_used_again(bundle: Path, tmp_path: Path) -> None:
    store = Store(tmp_path / "store")
    archive.reuse(changed(bundle, lose), store)
    assert store.has(sha256(b"a wheel"))
