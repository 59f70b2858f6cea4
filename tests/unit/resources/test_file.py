from __future__ import annotations

import getpass
import grp
import os
from pathlib import Path

import pytest

from installer.agent.apply import Step, apply, changes
from installer.agent.host import Host
from installer.resources.base import CannotFix, from_wire, to_wire
from installer.resources.file import Directory, File, Symlink, masked_difference
from installer.resources.secret import Secret

ME = getpass.getuser()
MINE = grp.getgrgid(os.getgid()).gr_name


def converge(*resources: File | Directory | Symlink) -> list[str]:
    result = apply(Step("files", resources), Host(), lambda event: None, lambda: False)
    assert "failure" not in result, result
    assert changes([Step("files", resources)], Host()) == []
    return result["changed"]


def mine(path: Path, content: str, **more: object) -> File:
    return File(str(path), content, owner=ME, group=MINE, **more)  # type: ignore[arg-type]


def test_a_file_gets_content_owner_and_mode_and_a_second_time_nothing(tmp_path: Path) -> None:
    file = mine(tmp_path / "x", "hello\n", mode=0o640)
    assert converge(file) == [file.id]
    assert (tmp_path / "x").read_text() == "hello\n"
    assert (tmp_path / "x").stat().st_mode & 0o7777 == 0o640
    assert converge(file) == []


def test_a_wrong_mode_alone_does_not_write_the_content_again(tmp_path: Path) -> None:
    file = mine(tmp_path / "x", "hello\n")
    converge(file)
    (tmp_path / "x").chmod(0o600)
    before = (tmp_path / "x").stat().st_ino
    assert file.explain({"sha256": file.expected()["sha256"], "owner": ME, "group": MINE, "mode": "0600"}, Host()) == [
        "  mode: 0600 -> 0644"
    ]
    converge(file)
    assert (tmp_path / "x").stat().st_ino == before


OURS = "# Made by pystack. Changes made here are lost at its next run.\n"


def test_a_file_of_the_operator_is_kept_once_beside_ours_as_it_was(tmp_path: Path) -> None:
    path, kept = tmp_path / "x.conf", tmp_path / "x.conf.before-pystack"
    path.write_text("theirs\n")
    path.chmod(0o640)
    file = mine(path, OURS + "a\n")
    told = f"  the file that is there is kept as {kept}"
    assert told in file.explain(File.query([file], Host())[file.id], Host())
    converge(file)
    assert path.read_text() == OURS + "a\n"
    assert kept.read_text() == "theirs\n"
    assert kept.stat().st_mode & 0o7777 == 0o640
    path.write_text("theirs again\n")
    assert told not in file.explain(File.query([file], Host())[file.id], Host())
    converge(file)
    assert kept.read_text() == "theirs\n"


def test_what_pystack_made_itself_is_not_kept(tmp_path: Path) -> None:
    converge(mine(tmp_path / "x", OURS + "a\n"))
    converge(mine(tmp_path / "x", OURS + "b\n"))
    converge(mine(tmp_path / "key", "-----BEGIN A-----\n"))
    converge(mine(tmp_path / "key", "-----BEGIN B-----\n"))
    assert sorted(path.name for path in tmp_path.iterdir()) == ["key", "x"]


def test_a_link_in_the_place_of_a_file_is_kept_and_what_it_leads_to_too(tmp_path: Path) -> None:
    (tmp_path / "target").write_text("theirs\n")
    (tmp_path / "x").symlink_to("target")
    converge(mine(tmp_path / "x", OURS))
    assert os.readlink(tmp_path / "x.before-pystack") == "target"
    assert (tmp_path / "target").read_text() == "theirs\n"


def test_no_temporary_file_stays_behind_when_writing_fails(tmp_path: Path) -> None:
    with pytest.raises(LookupError):
        File(str(tmp_path / "x"), "hello", owner="nobody-of-this-name").fix(None, Host())
    assert list(tmp_path.iterdir()) == []


def test_a_directory_in_the_place_of_a_file_is_left_alone(tmp_path: Path) -> None:
    (tmp_path / "x").mkdir()
    file = mine(tmp_path / "x", "hello")
    with pytest.raises(CannotFix, match="is a directory, not a file"):
        file.fix(File.query([file], Host())[file.id], Host())


def test_a_dangling_symbolic_link_in_the_place_of_a_file_is_told(tmp_path: Path) -> None:
    (tmp_path / "x").symlink_to("/nowhere")
    file = mine(tmp_path / "x", "hello")
    with pytest.raises(CannotFix, match="dangling symlink"):
        file.fix(File.query([file], Host())[file.id], Host())


def test_a_file_that_must_be_absent_is_removed(tmp_path: Path) -> None:
    (tmp_path / "x").write_text("old")
    assert converge(File(str(tmp_path / "x"), absent=True)) == [f"file:{tmp_path}/x"]
    assert not (tmp_path / "x").exists()


def test_a_link_moves_to_its_new_target(tmp_path: Path) -> None:
    converge(Symlink(str(tmp_path / "link"), "/old"))
    converge(Symlink(str(tmp_path / "link"), "/new"))
    assert os.readlink(tmp_path / "link") == "/new"


def test_a_resource_crosses_the_wire_unchanged() -> None:
    file = File("/etc/x", "pw = s", (Secret("s"),), mode=0o600)
    assert from_wire(to_wire(file)) == file


def test_neither_the_new_nor_the_old_secret_shows_in_a_difference() -> None:
    lines = masked_difference(
        "[database]\nconnection = mysql://k:OLDPW@h/k\nretries = 1\n",
        "[database]\nconnection = mysql://k:NEWPW@h/k\nretries = 2\n",
        [Secret("mysql://k:NEWPW@h/k")],
    )
    assert "OLDPW" not in str(lines)
    assert "NEWPW" not in str(lines)
    assert "-retries = 1" in lines
    assert "+retries = 2" in lines


def test_a_changed_secret_alone_is_told_as_such() -> None:
    assert masked_difference("password = a1\n", "password = b2\n", [Secret("b2")]) == ["  a secret differs"]


def test_a_private_key_shows_no_line_at_all() -> None:
    key = "-----BEGIN KEY-----\nabc\n-----END KEY-----\n"
    assert masked_difference("-----BEGIN KEY-----\nxyz\n-----END KEY-----\n", key, [Secret(key)]) == [
        "  content differs (all of it is secret)"
    ]
