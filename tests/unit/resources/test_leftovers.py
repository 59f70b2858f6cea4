"""What a kill leaves behind, each made by a process that is killed in the middle of it."""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
from pathlib import Path

import pytest

from installer.resources import sql
from installer.resources.file import write_atomically
from installer.resources.leftovers import own, sweep
from installer.resources.secret import Secret
from installer.resources.sql import DatabaseServer
from installer.resources.virtual_environment import VirtualEnvironment
from tests.package_index import sha256
from tests.unit.resources.fake_host import FakeHost

CHECKOUT = Path(__file__).parents[3]
KILL = "os.kill(os.getpid(), 9)"


def killed(program: str) -> None:
    done = subprocess.run([sys.executable, "-c", f"import os\n{program}"], cwd=CHECKOUT)
    assert done.returncode == -9


def test_the_next_write_takes_away_what_a_killed_one_left(tmp_path: Path) -> None:
    killed(f"""
from installer.resources import file
file.set_owner_and_mode = lambda *_: {KILL}
file.write_atomically({str(tmp_path / "x")!r}, b"half", "root", "root", 0o600)""")
    assert len(os.listdir(tmp_path)) == 1
    (tmp_path / ".x.operators.pystack-new").touch()
    (tmp_path / ".xy.1.abcdefgh.pystack-new").touch()
    write_atomically(str(tmp_path / "x"), b"whole", "root", "root", 0o600)
    assert sorted(os.listdir(tmp_path)) == [".x.operators.pystack-new", ".xy.1.abcdefgh.pystack-new", "x"]


def test_the_password_that_a_killed_session_left_is_taken_away(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    killed(f"""
from installer.resources import sql
from installer.resources.secret import Secret
sql.RUN = {str(tmp_path)!r}
with sql._kept_for_a_moment(Secret("pw")):
    {KILL}""")
    (left,) = os.listdir(tmp_path)
    in_use = left.replace(left.split(".")[1], "1")  # process 1 always runs
    (tmp_path / in_use).touch()
    monkeypatch.setattr(sql, "RUN", str(tmp_path))
    sql.ask(DatabaseServer("192.0.2.1", password=Secret("pw")), "SELECT 1;", FakeHost({"mariadb": ""}))
    assert os.listdir(tmp_path) == [in_use]


def test_the_folder_that_a_killed_installation_left_is_taken_away(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    left = tmp_path / "pystack-uv-4194305.abcdefgh"  # above the highest process number that Linux gives
    left.mkdir()
    (left / "uv.toml").write_text("secret")
    (tmp_path / "pystack-uv-notes").mkdir()
    environment = VirtualEnvironment("/nowhere", "/usr/bin/python3", "3.13", sha256(b""), sha256(b""), "uv")
    monkeypatch.setattr("installer.resources.uv._program", lambda sha256, host: "uv")
    monkeypatch.setattr("installer.resources.uv.CACHE", str(tmp_path / "cache"))
    monkeypatch.setattr(FakeHost, "blob", lambda self, sha256: b"")
    environment._install(True, None, FakeHost({"uv": ""}))
    assert sorted(os.listdir(tmp_path)) == ["cache", "pystack-uv-notes"]


def test_what_this_process_or_another_account_made_stays(tmp_path: Path) -> None:
    mine, theirs = tmp_path / f"{own('a.')}abcdefgh", tmp_path / "a.4194305.abcdefgh"
    mine.touch()
    theirs.touch()
    os.chown(theirs, 65534, 65534)
    sweep(str(tmp_path), "a.")
    assert {mine.name, theirs.name} == set(os.listdir(tmp_path))
    sweep(str(tmp_path), "a.", owner="nobody")
    assert os.listdir(tmp_path) == [mine.name]


def test_what_a_link_of_such_a_name_leads_to_stays(tmp_path: Path) -> None:
    (tmp_path / "kept").mkdir()
    (tmp_path / "a.4194305.abcdefgh").symlink_to(tmp_path / "kept")
    sweep(str(tmp_path), "a.")
    assert os.listdir(tmp_path) == ["kept"]
