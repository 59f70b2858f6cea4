"""Packages that dnf downloads for a bundle: which they are, whether they are whole and signed, and that none stays."""

from __future__ import annotations

import hashlib
import shutil
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import pytest
import yaml

from installer.agent import package_download, package_signatures
from installer.agent.host import CommandFailed, Completed, Host
from installer.agent.package_list import Asking
from installer.resources import repository
from tests.unit.resources.fake_host import FakeHost

CASES = yaml.safe_load((Path(__file__).parent / "package_keys.yaml").read_text())

WANTED = [
    {"name": "a", "version": "3:1.0-1", "architecture": "noarch", "repository": "one"},
    {"name": "b", "version": "2-1", "architecture": "x86_64", "repository": "two"},
]
#: Called otherwise than they are.
FILES = {"b-2.rpm": ("b 0:2-1 x86_64", b"second"), "x-1.rpm": ("a 3:1.0-1 noarch", b"first")}


class DnfHost(FakeHost):  # type: ignore[misc]
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
        # What rpm says of files, it says with the paths that it was given.
        paths = {Path(word).name: word for word in argv if word.startswith("/")}
        for name, path in paths.items():
            completed = completed._replace(out=completed.out.replace(f"PATH/{name}", path))
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
    monkeypatch.setattr(repository, "files_on_this_host", lambda root="": ([text], []))

    def run(
        answers: dict[str, Any] | None = None, files: dict[str, tuple[str, bytes]] | None = None
    ) -> tuple[package_download.Downloads, dict[str, Any], DnfHost]:
        good = {"rpmkeys --dbpath": "PATH/x-1.rpm: digests signatures OK\n"}
        host = DnfHost(FILES if files is None else files, {**good, **(answers or {})})
        downloads = package_download.Downloads(str(place))
        asking = Asking(host, {"http_proxy": "http://192.0.2.1"}, lambda: False)
        return downloads, downloads.fetch(WANTED, [], 200, ["one", "nosuch"], asking), host

    return run


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
        # As rpm 4.20 says it, here and below.
        (
            {"rpmkeys --checksig --nosignature": (1, "PATH/b-2.rpm: digests OK\nPATH/x-1.rpm: DIGESTS NOT OK\n", "")},
            FILES,
            "what dnf downloaded is damaged: x-1.rpm;",
        ),
        (
            {"rpmkeys --checksig --nosignature": (1, "PATH/b-2.rpm:PATH/x-1.rpm: digests OK\n", "error: b-2.rpm\n")},
            FILES,
            "what dnf downloaded is damaged: b-2.rpm;",
        ),
        (
            {"rpmkeys --checksig --nosignature": (127, "", "[Errno 2] No such file or directory: 'rpmkeys'")},
            FILES,
            "rpm cannot tell whether packages are whole: [Errno 2] No such file or directory: 'rpmkeys'",
        ),
        (
            {"rpm -qp": (1, "", "warning: x\nerror: x-1.rpm: not an rpm package (or package manifest)\n")},
            FILES,
            "rpm cannot tell what dnf downloaded: error: x-1.rpm: not an rpm package",
        ),
        (
            {
                "rpmkeys --dbpath": "PATH/x-1.rpm: digests SIGNATURES NOT OK\n",
                "rpmkeys --checksig /": (1, "PATH/x-1.rpm: digests SIGNATURES NOT OK\n", ""),
            },
            FILES,
            "signed neither with a key of their repository nor with one that this host's rpm has: x-1.rpm;",
        ),
        (
            {
                "rpmkeys --dbpath": (0, "PATH/x-1.rpm: digests OK\n", ""),
                "rpmkeys --checksig /": (0, "PATH/x-1.rpm: digests OK\n", ""),
            },
            FILES,
            "signed neither with a key of their repository nor with one that this host's rpm has: x-1.rpm;",
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


def test_a_package_with_another_key_that_the_host_has_comes_along_and_is_not_called_good(fetch: Any) -> None:
    other = {
        "rpmkeys --dbpath": "PATH/x-1.rpm: digests SIGNATURES NOT OK\n",
        "rpmkeys --checksig /": (0, "PATH/x-1.rpm: digests signatures OK\n", ""),
    }
    downloads, answer, host = fetch(other)
    assert any(line.startswith("rpmkeys --dbpath") and "--checksig" in line for line in host.ran)
    assert answer["problem"] == ""
    assert [file["signature"] for file in answer["files"]] == ["", ""]
    downloads.remove()


@pytest.mark.parametrize("trouble", ["a key that rpm does not take", "one of two keys that is no file of the host"])
def test_without_all_keys_of_a_repository_nothing_is_checked(tmp_path: Path, trouble: str) -> None:
    key = tmp_path / "one.key"
    key.touch()
    keys, code = ([f"file://{key}"], 1) if "rpm" in trouble else ([f"file://{key}", f"file://{tmp_path}/two.key"], 0)
    host = DnfHost({}, {f"rpmkeys --dbpath /k/0 --import {key}": (code, "", "")})
    assert package_signatures.signed({"one": ["/p/a.rpm"]}, {"one": keys}, "/k", host) == (set(), [])
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


def test_dnf_is_ended_when_the_controller_is_gone_and_nothing_stays(fetch: Any, tmp_path: Path) -> None:
    class RealHost(DnfHost):
        def run(self, argv: Sequence[str], **options: Any) -> Completed:
            return Host().run(["sleep", "30"] if argv[0] == "dnf" else argv, **options)

    begun = time.monotonic()
    answer = package_download.Downloads(str(tmp_path)).fetch(
        WANTED, [], 200, [], Asking(RealHost({}, {}), {}, lambda: True)
    )
    assert time.monotonic() - begun < 15
    assert answer == {"files": [], "problem": "sleep was ended: the controller is gone"}
    assert not list(tmp_path.glob("pystack-*"))


def test_what_a_killed_agent_left_is_taken_away(tmp_path: Path) -> None:
    left = tmp_path / "pystack-packages-999999999.abcdefgh"
    left.mkdir()
    package_download.Downloads(str(tmp_path)).sweep()
    assert not left.exists()
    package_download.Downloads(f"{tmp_path}/nosuch").sweep()


@pytest.mark.parametrize("case", CASES, ids=lambda case: case["why"])
def test_which_keys_packages_are_checked_with(case: dict[str, Any]) -> None:
    variables = {"releasever": "43", "basearch": "x86_64"}
    overrides = case.get("overrides", [])
    assert package_signatures.keys_of(case["main"], case["repositories"], overrides, variables) == case["keys"]
