"""A module that is built on the host: its states, what is made anew and when, and why it could not be."""

from __future__ import annotations

import json
import os
import shutil
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest
import yaml

from installer.agent.host import CommandFailed, Completed, Host
from installer.engine.contents import answer
from installer.resources import built_module, uv, wheels
from installer.resources.base import CannotFix, from_wire, to_wire
from installer.resources.built_module import STAMP, BuiltModule, state_of
from installer.resources.secret import Secret
from installer.resources.wheels import LIST
from tests.package_index import sha256

CASES = yaml.safe_load((Path(__file__).parent / "cases" / "built_module.yaml").read_text())

LOCK, NEWER = b"virt-python==1\n", b"virt-python==2\n"


def module(path: Path | str = "/opt/m", **other: Any) -> BuiltModule:
    values = {"lock": sha256(LOCK), "build_constraints": sha256(LOCK), "uv": "c" * 64, "version": "3.12", **other}
    return BuiltModule("virt", str(path), sys.executable, packages=("gcc", "virt-devel"), **values)


class Builder(Host):
    """A host whose uv writes a module in no time, or fails as it is told."""

    def __init__(self) -> None:
        contents = {sha256(text): text for text in (LOCK, NEWER)}
        super().__init__(fetch=lambda name: self.offer if name.startswith(LIST) else contents[name])
        self.offer = answer(None)
        self.source = "import os\n"
        self.says = ""
        self.lines: list[list[str]] = []
        self.given: list[Any] = []

    def run(self, argv: Sequence[str], *, expect: Any = (0,), **options: Any) -> Completed:  # type: ignore[override]
        if argv[0] != "uv":
            return super().run(argv, expect=expect, **options)
        self.lines.append(list(argv))
        self.given.append(options)
        target = Path(argv[argv.index("--target") + 1])
        (target / "virt_python-1.dist-info").mkdir(parents=True)
        (target / ".lock").touch()
        (target / "virt.py").write_text(self.source)
        (target / "virt_python-1.dist-info" / "RECORD").write_text("virt.py,,\n")
        return Completed(tuple(argv), 2 if self.says else 0, "", self.says)


@pytest.fixture
def builder(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Builder:
    monkeypatch.setattr(uv, "_program", lambda sha256, host: "uv")
    monkeypatch.setattr(uv, "CACHE", str(tmp_path / "cache"))
    monkeypatch.setattr(built_module, "wanted_label", lambda path: None)
    return Builder()


def test_a_module_is_built_once_and_is_then_as_it_must_be(builder: Builder, tmp_path: Path) -> None:
    wanted = module(tmp_path / "lib" / "virt-1")
    assert BuiltModule.query([wanted], builder) == {wanted.id: None}
    wanted.fix(None, builder)
    assert state_of(wanted.path) == wanted.expected()
    assert sorted(os.listdir(wanted.path)) == [STAMP, "virt.py", "virt_python-1.dist-info"]
    assert os.listdir(tmp_path / "lib") == ["virt-1"]


def test_uv_takes_nothing_but_what_the_locks_name_and_copies_it(builder: Builder, tmp_path: Path) -> None:
    module(tmp_path / "virt-1", index=Secret("https://u:p@index.example/simple")).fix(None, builder)
    ((line,), (given,)) = builder.lines, builder.given
    assert {"--no-deps", "--require-hashes", "--build-constraints"} <= set(line)
    assert line[line.index("--python") + 1] == sys.executable
    assert given["env"]["UV_LINK_MODE"] == "copy"
    assert [word for word in line if word.startswith("--config-file=")]
    assert "u:p" not in " ".join(line)


@pytest.mark.parametrize(
    ("damage", "files"),
    [
        (lambda folder: (folder / "virt.py").write_text("import sys\n"), "changed since they were built"),
        (lambda folder: (folder / "virt.py").unlink(), "changed since they were built"),
        (lambda folder: (folder / "virt.py").chmod(0o600), "changed since they were built"),
        (lambda folder: (folder / "more.py").touch(), "changed since they were built"),
        (lambda folder: (folder / STAMP).unlink(), None),
        (lambda folder: (folder / STAMP).write_text("["), None),
        (lambda folder: (folder / STAMP).write_text("[]"), None),
        (lambda folder: (folder / "dangling.py").symlink_to("/nonexistent"), None),
        (lambda folder: shutil.rmtree(folder), None),
    ],
    ids=["content", "lost", "mode", "added", "no stamp", "half a stamp", "no stamp at all", "dangling", "no folder"],
)
def test_a_folder_that_was_damaged_is_made_anew(
    builder: Builder, tmp_path: Path, damage: Any, files: str | None
) -> None:
    wanted = module(tmp_path / "virt-1")
    wanted.fix(None, builder)
    damage(Path(wanted.path))
    found = state_of(wanted.path)
    assert found == (None if files is None else {**(wanted.expected() or {}), "files": files})
    wanted.fix(found, builder)
    assert state_of(wanted.path) == wanted.expected()
    assert sorted(os.listdir(wanted.path)) == [STAMP, "virt.py", "virt_python-1.dist-info"]


def test_byte_code_that_python_leaves_there_is_no_damage(builder: Builder, tmp_path: Path) -> None:
    wanted = module(tmp_path / "virt-1")
    wanted.fix(None, builder)
    (tmp_path / "virt-1" / "__pycache__").mkdir()
    (tmp_path / "virt-1" / "__pycache__" / "virt.cpython-312.pyc").touch()
    assert state_of(wanted.path) == wanted.expected()


def test_another_lock_other_build_constraints_or_another_python_are_another_module() -> None:
    assert module().expected() == module(uv="d" * 64).expected()
    for other in ({"lock": "d" * 64}, {"build_constraints": "d" * 64}, {"version": "3.13"}):
        assert module(**other).expected() != module().expected()


@pytest.mark.parametrize("source", [None, "import no_such_module\n"], ids=["does not build", "cannot be imported"])
def test_what_was_there_stays_as_it_was_until_the_new_one_can_be_imported(
    builder: Builder, tmp_path: Path, source: str | None
) -> None:
    old = module(tmp_path / "virt-1")
    old.fix(None, builder)
    builder.says, builder.source = ("", source) if source else ("error: Failed to build `virt-python==2`", "")
    with pytest.raises(CommandFailed):
        module(tmp_path / "virt-1", lock=sha256(NEWER)).fix(old.expected(), builder)
    assert state_of(old.path) == old.expected()


def test_what_a_killed_build_left_is_no_part_of_the_next(builder: Builder, tmp_path: Path) -> None:
    wanted = module(tmp_path / "virt-1")
    half = tmp_path / "virt-1.pystack-new"
    half.mkdir()
    (half / "half.py").touch()
    wanted.fix(None, builder)
    assert os.listdir(tmp_path / "virt-1").count("half.py") == 0
    assert not half.exists()
    stamp = json.loads((tmp_path / "virt-1" / STAMP).read_text())
    assert set(stamp) == {"lock", "python", "files"}


@pytest.mark.parametrize("case", CASES["failure"], ids=lambda case: case["title"])
def test_why_it_could_not_be_built_in_one_line(builder: Builder, tmp_path: Path, case: dict[str, str]) -> None:
    builder.says = case["error"]
    with pytest.raises(CommandFailed) as failed:
        module(tmp_path / "virt-1").fix(None, builder)
    assert failed.value.why == case["why"]
    assert not (tmp_path / "virt-1.pystack-new").exists()


def test_a_built_module_crosses_the_wire() -> None:
    whole = module(index=Secret("https://u:p@h/simple"), proxies=(("http_proxy", Secret("http://p")),))
    assert from_wire(to_wire(whole)) == whole


def test_a_module_is_built_of_what_was_sent_and_no_index_is_asked(
    builder: Builder, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(wheels.bring, "__defaults__", (str(tmp_path / "wheels"),))
    builder.offer = answer([])
    module(tmp_path / "m").fix(None, builder)
    (line,) = builder.lines
    assert {"--no-config", "--offline", "--no-index", f"--find-links={tmp_path}/wheels"} <= set(line)
    builder.offer = answer(None, "the bundle does not have it")
    with pytest.raises(CannotFix, match="the bundle does not have it"):
        module(tmp_path / "m").fix(None, builder)
    assert len(builder.lines) == 1
