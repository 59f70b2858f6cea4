from __future__ import annotations

import getpass
from pathlib import Path

import pytest

from installer.agent.apply import Step, apply, changes
from installer.agent.host import Host
from installer.resources import command
from installer.resources.base import CannotFix, Unknown, from_wire, to_wire
from installer.resources.command import Command
from installer.resources.secret import Secret


@pytest.fixture(autouse=True)
def stamps(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setattr(command, "STAMPS", str(tmp_path / "stamps"))
    write = command.write_atomically
    me = getpass.getuser()
    monkeypatch.setattr(command, "write_atomically", lambda path, data, _, __, mode: write(path, data, me, me, mode))
    return tmp_path / "stamps"


def run(item: Command) -> dict[str, object]:
    return apply(Step("s", (item,)), Host(), lambda event: None, lambda: False)


@pytest.mark.parametrize("conditions", [{}, {"creates": "/a", "stamp": "x"}, {"unless": ("true",), "creates": "/a"}])
def test_exactly_one_condition_must_be_given(conditions: dict[str, str]) -> None:
    with pytest.raises(ValueError, match="exactly one"):
        Command("x", ("true",), **conditions)  # type: ignore[arg-type]


def test_a_title_is_no_path() -> None:
    with pytest.raises(ValueError, match="title"):
        Command("../x", ("true",), creates="/a")


def test_creates_runs_once(tmp_path: Path) -> None:
    item = Command("x", ("touch", str(tmp_path / "made")), creates=str(tmp_path / "made"))
    assert run(item)["changed"] == ["command:x"]
    assert run(item)["changed"] == []


def test_a_command_that_succeeds_without_its_effect_has_failed(tmp_path: Path) -> None:
    failure = run(Command("x", ("true",), creates=str(tmp_path / "made")))["failure"]
    assert "still not as expected" in failure["message"]  # type: ignore[index]


def test_unless_runs_until_the_check_is_content(tmp_path: Path) -> None:
    item = Command("x", ("mkdir", str(tmp_path / "d")), unless=("test", "-d", str(tmp_path / "d")))
    assert run(item)["changed"] == ["command:x"]
    assert run(item)["changed"] == []


@pytest.mark.parametrize(
    ("check", "reason"),
    [
        (("sh", "-c", "echo no database >&2; exit 2"), "ended with code 2: no database"),
        (("no-such-program",), "ended with code 127"),
    ],
)
def test_a_check_that_cannot_tell_is_not_taken_for_no(check: tuple[str, ...], reason: str, tmp_path: Path) -> None:
    item = Command("x", ("touch", str(tmp_path / "made")), unless=check)
    state = Command.query([item], Host())[item.id]
    assert isinstance(state, Unknown)
    assert reason in state.reason
    with pytest.raises(CannotFix, match="cannot be told whether this is done"):
        item.fix(state, Host())
    assert not (tmp_path / "made").exists()


def test_a_check_says_no_with_the_codes_that_it_has_for_it() -> None:
    item = Command("x", ("true",), unless=("sh", "-c", "exit 3"), not_done=(1, 3))
    assert Command.query([item], Host())[item.id] == {"done": False}


def test_an_account_that_does_not_exist_yet_is_no_error() -> None:
    item = Command("x", ("true",), unless=("true",), user="no-such-account")
    state = Command.query([item], Host())[item.id]
    assert isinstance(state, Unknown)
    assert state.reason == "there is no account no-such-account yet"


class TestStamp:
    def test_it_runs_again_when_the_stamp_is_another(self, tmp_path: Path, stamps: Path) -> None:
        argv = ("sh", "-c", f"echo ran >> {tmp_path}/log")
        for stamp in ("one", "one", "two"):
            run(Command("x", argv, stamp=stamp))
        assert (tmp_path / "log").read_text() == "ran\nran\n"
        assert stamps.stat().st_mode & 0o777 == 0o700

    def test_a_command_that_failed_leaves_none(self, stamps: Path) -> None:
        item = Command("x", ("sh", "-c", "echo why >&2; exit 4"), stamp="one")
        failure = run(item)["failure"]
        assert failure["command"]["code"] == 4  # type: ignore[index]
        assert failure["command"]["err"] == ["why"]  # type: ignore[index]
        assert Command.query([item], Host())[item.id] == {"done": False}


def test_a_secret_goes_in_by_standard_input_and_shows_nowhere(tmp_path: Path) -> None:
    out = tmp_path / "out"
    item = Command("x", ("sh", "-c", f"cat > {out}"), creates=str(out), stdin=Secret("s3cret"))
    shown = str(changes([Step("s", (item,))], Host()))
    assert "s3cret" not in shown
    assert "creates" not in shown
    run(item)
    assert out.read_text() == "s3cret"


def test_it_crosses_the_wire_unchanged() -> None:
    item = Command("x", ("a", "b"), unless=("c",), env={"K": "v"}, stdin=Secret("s"))
    assert from_wire(to_wire(item)) == item
