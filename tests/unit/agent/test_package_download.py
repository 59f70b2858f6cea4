"""Packages that dnf downloads for a bundle: which they are, whether they are whole and signed, and that none stays."""

from __future__ import annotations

import hashlib
import importlib.util
import shutil
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import pytest
import yaml

from installer.agent import package_download, package_signatures
from installer.agent.host import CommandFailed, Completed

CASES = yaml.safe_load((Path(__file__).parent / "package_keys.yaml").read_text())
SPEC = importlib.util.spec_from_file_location("fake_host", Path(__file__).parents[1] / "resources" / "fake_host.py")
assert SPEC is not None
assert SPEC.loader is not None
FAKE = importlib.util.module_from_spec(SPEC)
SPEC.loader.exec_module(FAKE)

WANTED = [
    {"name": "a", "version": "3:1.0-1", "architecture": "noarch", "repository": "one", "size": "100"},
    {"name": "b", "version": "2-1", "architecture": "x86_64", "repository": "two", "size": "100"},
]
#: Called otherwise than they are.
FILES = {"b-2.rpm": ("b 0:2-1 x86_64", b"second"), "x-1.rpm": ("a 3:1.0-1 noarch", b"first")}


class DnfHost(FAKE.FakeHost):  # type: ignore[misc]
    """A host whose dnf downloads files, with rpm to look at them.

    Args:
        files: header and content by name.
        answers: see FakeHost; what is here goes before.
    """

    def __init__(self, files: dict[str, tuple[str, bytes]], answers: dict[str, Any]) -> None:
        headers = "".join(f"{header}\n" for _, (header, _) in sorted(files.items()))
        quiet = {"dnf ": "", "rpmkeys --checksig --nosignature": "", "rpm -qp": headers, "rpm -E": "43\n"}
        super().__init__({**quiet, **answers})
        self.files = files

    def run(self, argv: Sequence[str], **options: Any) -> Completed:
        completed: Completed = super().run(argv, **options)
        if argv[0] == "dnf":
            (folder,) = [word.partition("=")[2] for word in argv if word.startswith("--destdir=")]
            for name, (_, content) in self.files.items():
                Path(folder, name).write_bytes(content)
        return completed


@pytest.fixture
def fetch(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> Callable[..., tuple[package_download.Downloads, dict[str, Any], DnfHost]]:
    """Return what has the packages above downloaded into an empty folder, with a key for the repository ``one``."""
    key = tmp_path / "one.key"
    key.touch()
    place = tmp_path / "place"
    place.mkdir()
    text = f"[one]\ngpgcheck=1\ngpgkey=file://{key}\n[two]\ngpgcheck=1\ngpgkey=https://keys.example.org/two\n"
    monkeypatch.setattr(package_download.repository, "files_on_this_host", lambda: ([text], []))

    def run(
        answers: dict[str, Any] | None = None, files: dict[str, tuple[str, bytes]] | None = None
    ) -> tuple[package_download.Downloads, dict[str, Any], DnfHost]:
        host = DnfHost(FILES if files is None else files, {"rpmkeys --dbpath": "", **(answers or {})})
        have_signatures(host, f"{place}/")
        downloads = package_download.Downloads(str(place))
        return downloads, downloads.fetch(WANTED, ["one", "nosuch"], host, {"http_proxy": "http://192.0.2.1"}), host

    return run


def have_signatures(host: DnfHost, place: str) -> None:
    """Have signatures called good that are asked for with a database of keys, unless the host answers otherwise."""
    plain = host.run

    def run(argv: Sequence[str], **options: Any) -> Completed:
        completed: Completed = plain(argv, **options)
        if "--dbpath" in argv and "--checksig" in argv and not completed.out:
            said = "".join(f"{path}: digests signatures OK\n" for path in argv if path.startswith(place))
            return completed._replace(out=said)
        return completed

    host.run = run


def test_packages_are_known_by_their_headers_and_come_in_parts(fetch: Any, tmp_path: Path) -> None:
    downloads, answer, host = fetch()
    assert answer == {
        "files": [
            {
                "name": "a",
                "version": "3:1.0-1",
                "architecture": "noarch",
                "size": 5,
                "sha256": hashlib.sha256(b"first").hexdigest(),
                "signature": "good",
            },
            {
                "name": "b",
                "version": "2-1",
                "architecture": "x86_64",
                "size": 6,
                "sha256": hashlib.sha256(b"second").hexdigest(),
                "signature": "",
            },
        ],
        "problem": "",
    }
    (line,) = [line for line in host.ran if line.startswith("dnf ")]
    assert line.endswith(" a-3:1.0-1.noarch b-2-1.x86_64")
    assert " download " in line
    assert " --enablerepo=one " in line
    assert "nosuch" not in line
    digest = hashlib.sha256(b"second").hexdigest()
    assert [downloads.part(digest, offset, 4) for offset in (0, 4, 8)] == [b"seco", b"nd", b""]
    (folder,) = (tmp_path / "place").iterdir()
    assert folder.stat().st_mode & 0o777 == 0o700
    downloads.remove()
    assert list((tmp_path / "place").iterdir()) == []
    assert downloads.part(digest, 0, 4) == b""


@pytest.mark.parametrize(
    ("answers", "files", "why"),
    [
        # As dnf 4.23 says it.
        (
            {
                "dnf ": (
                    1,
                    "",
                    'Package "b-2-1.x86_64" from local repository "two" has incorrect checksum\nError: Some\n',
                )
            },
            {},
            "gone or not what the repository's metadata says: b-2-1.x86_64",
        ),
        ({"dnf ": (1, "", "No such command: download. Please use /usr/bin/dnf --help\n")}, {}, "dnf-plugins-core"),
        (
            {"dnf ": (1, "", "No package b-2-1.x86_64 available.\nError: No package b-2-1.x86_64 available.\n")},
            {},
            "b-2-1",
        ),
        # As dnf 5.4 says it.
        (
            {
                "dnf ": (
                    1,
                    "",
                    "Failed to download packages\n Librepo error: Cannot download b.rpm: All mirrors were tried\n",
                )
            },
            FILES,
            "Librepo error: Cannot download b.rpm: All mirrors were tried",
        ),
        ({}, {}, "dnf downloaded none of them"),
        ({}, {"x-1.rpm": FILES["x-1.rpm"]}, "dnf did not download b-2-1.x86_64"),
        (
            {"rpmkeys --checksig --nosignature": (1, "/p/x-1.rpm: DIGESTS NOT OK\n/p/b-2.rpm: digests OK\n", "")},
            FILES,
            "what dnf downloaded is damaged: x-1.rpm;",
        ),
        (
            {"rpmkeys --dbpath": (0, "/p/x-1.rpm: digests SIGNATURES NOT OK\n", "")},
            FILES,
            "not signed with a key of their repository: x-1.rpm;",
        ),
    ],
)
def test_of_packages_that_cannot_be_had_nothing_stays(
    fetch: Any, tmp_path: Path, answers: dict[str, Any], files: dict[str, tuple[str, bytes]], why: str
) -> None:
    _, answer, _ = fetch(answers, files)
    assert answer["files"] == []
    assert why in answer["problem"]
    assert list((tmp_path / "place").iterdir()) == []


def test_a_key_that_rpm_does_not_take_checks_nothing(fetch: Any, tmp_path: Path) -> None:
    class OldHost(DnfHost):
        def run(self, argv: Sequence[str], **options: Any) -> Completed:
            completed = super().run(argv, **options)
            return completed._replace(code=1) if "--import" in argv else completed

    key = tmp_path / "one.key"
    host = OldHost({}, {"rpmkeys ": ""})
    assert package_signatures.signed({"one": ["/p/a.rpm"]}, {"one": [f"file://{key}"]}, "/k", host) == (set(), [])
    assert not any("--checksig" in line for line in host.ran)


def test_nothing_is_downloaded_where_there_is_no_room(
    fetch: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    usage = type(shutil.disk_usage("/"))
    monkeypatch.setattr(package_download.shutil, "disk_usage", lambda _: usage(1 << 40, 0, (256 << 20) + 199))
    _, answer, host = fetch()
    assert "there is no room to download them" in answer["problem"]
    assert f"{tmp_path}/place has 256 MiB" in answer["problem"]
    assert not host.ran


def test_a_dnf_that_does_not_end_is_told_of(fetch: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def hang(_self: DnfHost, argv: Sequence[str], **_options: Any) -> Completed:
        raise CommandFailed(Completed(tuple(argv), -9, "", ""), "dnf did not end within 3600 s")

    monkeypatch.setattr(DnfHost, "run", hang)
    _, answer, _ = fetch()
    assert answer == {"files": [], "problem": "dnf did not end within 3600 s"}
    assert list((tmp_path / "place").iterdir()) == []


def test_what_a_killed_agent_left_is_taken_away(fetch: Any, tmp_path: Path) -> None:
    left = tmp_path / "place/pystack-packages-999999999.abcdefgh"
    left.mkdir()
    downloads, _, _ = fetch()
    assert not left.exists()
    downloads.remove()


@pytest.mark.parametrize("case", CASES, ids=lambda case: case["why"])
def test_which_keys_packages_are_checked_with(case: dict[str, Any]) -> None:
    variables = {"releasever": "43", "basearch": "x86_64"}
    overrides = case.get("overrides", [])
    assert package_signatures.keys_of(case["main"], case["repositories"], overrides, variables) == case["keys"]
