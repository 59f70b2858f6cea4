from __future__ import annotations

import os
import threading
import time
from pathlib import Path
from typing import Any

import pytest
import yaml

from installer.agent.host import CommandFailed
from installer.resources import unit
from installer.resources.base import CannotFix, Unknown
from installer.resources.unit import Unit
from tests.unit.resources.fake_host import FakeHost

CASES = yaml.safe_load((Path(__file__).parent / "cases" / "units.yaml").read_text())
RUNNING = CASES["shown"]["notify"]


def text(*shown: dict[str, str]) -> str:
    return "\n\n".join("\n".join(f"{key}={value}" for key, value in one.items()) for one in shown) + "\n"


@pytest.fixture(autouse=True)
def no_waiting(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(unit, "GRACE", 0.0)


@pytest.mark.parametrize("case", CASES["states"], ids=lambda case: case["title"])
def test_the_state_of_a_unit(case: dict[str, Any]) -> None:
    item = Unit("x.service", **case.get("unit", {}))
    state = item.state(case["shown"])
    if isinstance(state, Unknown):
        assert state.reason == case["unknown"]
    else:
        assert state == (item.expected() if case.get("expected") else case["state"])


@pytest.mark.parametrize("case", CASES["started"], ids=lambda case: case["title"])
def test_when_a_unit_began_to_read(case: dict[str, Any]) -> None:
    assert unit.started(case["shown"], case.get("reload", False)) == case["at"]


@pytest.mark.parametrize("case", CASES["verbs"], ids=str)
def test_what_systemctl_must_do(case: dict[str, Any]) -> None:
    item = Unit("x.service", active=case.get("wanted", True), reload=case.get("reload", False))
    assert unit.verb_for(item, case) == case["verb"]


@pytest.mark.parametrize("case", CASES["refused"], ids=lambda case: case["why"])
def test_what_cannot_be_started_is_refused_with_the_reason(case: dict[str, Any]) -> None:
    with pytest.raises(CannotFix, match=case["why"]):
        unit.refuse(Unit("x.service"), case["shown"])


@pytest.mark.parametrize("case", CASES["affected"], ids=lambda case: str(case["differing"]))
def test_a_plan_tells_which_units_restart_because_of_what_they_read(case: dict[str, Any]) -> None:
    reads = ("/etc/keystone/keystone.conf", "/opt/pystack/2026.2/pystack.lock")
    item = Unit("x.service", reads=reads, reload=case.get("reload", False))
    assert item.affected_by(case["differing"]) == case["told"]


def test_a_unit_that_must_not_run_is_not_affected_by_anything() -> None:
    assert Unit("x.service", active=False, reads=("/a",)).affected_by(["file:/a"]) == []


class TestChangedAt:
    def test_an_old_modification_time_hides_no_change(self, tmp_path: Path) -> None:
        path = tmp_path / "x"
        path.touch()
        before = time.time() - 1
        os.utime(path, (1, 1))
        assert unit.newer([str(path)], before) == [str(path)]

    def test_a_changed_owner_or_mode_counts(self, tmp_path: Path) -> None:
        path = tmp_path / "x"
        path.touch()
        moment = unit.changed_at(str(path))
        time.sleep(0.02)
        path.chmod(0o600)
        assert unit.newer([str(path)], moment) == [str(path)]

    def test_a_link_that_was_turned_counts(self, tmp_path: Path) -> None:
        (tmp_path / "a").touch()
        time.sleep(0.02)
        moment = time.time()
        time.sleep(0.02)
        (tmp_path / "link").symlink_to("a")
        assert unit.newer([str(tmp_path / "link")], moment) == [str(tmp_path / "link")]

    def test_a_directory_counts_with_what_lies_in_it(self, tmp_path: Path) -> None:
        (tmp_path / "own.conf").touch()
        moment = unit.changed_at(str(tmp_path))
        time.sleep(0.02)
        assert unit.newer([str(tmp_path)], moment) == []
        (tmp_path / "own.conf").write_text("debug = true")
        assert unit.newer([str(tmp_path)], moment) == [str(tmp_path)]
        moment = unit.changed_at(str(tmp_path))
        time.sleep(0.02)
        (tmp_path / "own.conf").unlink()
        assert unit.newer([str(tmp_path)], moment) == [str(tmp_path)]

    def test_a_file_that_does_not_exist_has_not_changed(self, tmp_path: Path) -> None:
        assert unit.newer([str(tmp_path / "x")], 0.0) == []


class TestQuery:
    def test_one_command_for_all_and_answers_in_the_order_asked(self) -> None:
        host = FakeHost({"systemctl show": text(RUNNING, {**RUNNING, "ActiveState": "inactive"})})
        states = Unit.query([Unit("a.service"), Unit("b.service")], host)
        assert [state["active"] for state in states.values()] == ["yes", "no"]  # type: ignore[index, call-overload]
        assert host.ran == [
            f"systemctl show --no-pager --timestamp=us+utc --property={unit.PROPERTIES} -- a.service b.service"
        ]

    def test_a_file_changed_after_the_start_makes_a_unit_stale(self, tmp_path: Path) -> None:
        path = tmp_path / "x.conf"
        path.touch()
        old = {**RUNNING, "ExecMainStartTimestamp": "Sun 2020-11-22 14:01:07.131480 UTC"}
        item = Unit("a.service", reads=(str(path), str(tmp_path / "none")))
        (state,) = Unit.query([item], FakeHost({"systemctl": text(old)})).values()
        assert state == {**(item.expected() or {}), "stale": [str(path)]}

    def test_without_systemd_nothing_can_be_known(self) -> None:
        words = "System has not been booted with systemd as init system (PID 1). Can't operate."
        (state,) = Unit.query([Unit("a.service")], FakeHost({"systemctl": (1, "", words)})).values()
        assert isinstance(state, Unknown)
        assert state.reason == words


class TestFix:
    @staticmethod
    def fix(shown: list[dict[str, str]], *items: Unit, **answers: Any) -> list[str]:
        names = {"systemctl enable": "", "systemctl disable": "", "systemctl daemon-reload": ""}
        verbs = {f"systemctl {verb}": "" for verb in ("start", "stop", "restart", "reload", "reset-failed")}
        host = FakeHost({**names, **verbs, "systemctl show": text(*shown), **answers})
        Unit.fix_all([(item, None) for item in items], host)
        return [line.partition(" ")[2] for line in host.ran if "systemctl show" not in line]

    def test_several_are_enabled_and_started_by_one_command_each(self) -> None:
        off = {**RUNNING, "ActiveState": "inactive", "UnitFileState": "disabled"}
        assert self.fix([off, off], Unit("a.service"), Unit("b.service")) == [
            "enable -- a.service b.service",
            "start -- a.service b.service",
        ]

    def test_a_failed_one_is_reset_first(self) -> None:
        failed = {**RUNNING, "ActiveState": "failed"}
        assert self.fix([failed], Unit("a.service")) == ["reset-failed -- a.service", "restart -- a.service"]

    def test_one_that_must_not_run_is_disabled_and_stopped(self) -> None:
        assert self.fix([RUNNING], Unit("a.service", enabled=False, active=False)) == [
            "disable -- a.service",
            "stop -- a.service",
        ]

    def test_a_definition_that_changed_is_loaded_and_nothing_restarts_without_need(self) -> None:
        assert self.fix([{**RUNNING, "NeedDaemonReload": "yes"}], Unit("a.service")) == ["daemon-reload"]

    def test_a_unit_that_does_not_exist_is_looked_for_again_and_then_refused(self) -> None:
        host = FakeHost({"systemctl": text({**RUNNING, "LoadState": "not-found"})})
        with pytest.raises(CannotFix, match="knows no unit"):
            Unit("a.service").fix(None, host)
        assert "systemctl daemon-reload" in host.ran

    def test_a_job_that_cannot_be_made_is_an_error(self) -> None:
        off = {**RUNNING, "ActiveState": "inactive"}
        with pytest.raises(CommandFailed):
            self.fix([off], Unit("a.service"), **{"systemctl start": (1, "", "Failed to start a.service: refused")})

    def test_a_service_that_fails_to_start_is_left_to_the_next_query(self) -> None:
        off = {**RUNNING, "ActiveState": "inactive"}
        words = "Job for a.service failed because the control process exited with error code."
        assert self.fix([off], Unit("a.service"), **{"systemctl start": (1, "", words)})

    def test_a_reload_that_fails_is_an_error_although_the_unit_goes_on(self, tmp_path: Path) -> None:
        path = tmp_path / "x.conf"
        path.touch()
        old = {**RUNNING, "StateChangeTimestamp": "Sun 2020-11-22 14:01:07.131480 UTC"}
        words = "Job for a.service failed because the control process exited with error code."
        with pytest.raises(CommandFailed, match=r"a\.service .* goes on with what it read before"):
            self.fix([old], Unit("a.service", reads=(str(path),), reload=True), **{"systemctl reload": (1, "", words)})

    def test_a_file_from_the_future_is_brought_back_so_that_the_restart_comes_after_it(
        self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        path = tmp_path / "x.conf"
        path.touch()
        before = path.stat().st_ctime
        monkeypatch.setattr(time, "time", lambda: before - 3600)
        time.sleep(0.02)
        old = {**RUNNING, "ExecMainStartTimestamp": "Sun 2020-11-22 14:01:07.131480 UTC"}
        self.fix([old], Unit("a.service", reads=(str(path),)))
        assert path.stat().st_ctime > before


@pytest.mark.parametrize("load", ["masked", "not-found"])
def test_a_unit_that_cannot_be_started_has_no_journal_worth_reading(load: str) -> None:
    host = FakeHost({"journalctl": "of another day\n", "systemctl": text({**RUNNING, "LoadState": load})})
    assert Unit("a.service").diagnose(host) == []


def test_the_journal_comes_without_empty_lines() -> None:
    failed = text({**RUNNING, "ActiveState": "failed"})
    host = FakeHost({"journalctl": "one\n\n  \ntwo\n", "systemctl": failed, "systemctl show --property=Requires": ""})
    assert Unit("a.service").diagnose(host)[1:] == ["one", "two"]


@pytest.mark.parametrize(
    ("path", "again"),
    [
        ("/etc/systemd/system/a.service.d/pystack.conf", True),
        ("/etc/systemd/system/a.service", False),
        ("/etc/a.d/a.conf", False),
    ],
)
def test_a_unit_with_a_drop_in_is_started_after_systemd_has_read_everything_again(path: str, again: bool) -> None:
    class Started(FakeHost):
        def run(self, argv: Any, **options: Any) -> Any:
            if argv[1] in ("start", "restart"):
                self.answers["systemctl show"] = text(RUNNING)
            return super().run(argv, **options)

    host = Started({"systemctl": "", "systemctl show": text({**RUNNING, "ActiveState": "inactive", "MainPID": "0"})})
    Unit("a.service", reads=(path,)).fix({"active": "no"}, host)
    ran = [line for line in host.ran if "show" not in line]
    assert (ran[0] == "systemctl daemon-reload") is again, ran
    assert any(line.startswith("systemctl start") for line in ran)


def test_where_a_unit_failed_for_one_that_it_needs_that_one_is_heard() -> None:
    def said(unit: str) -> str:
        return f"journalctl --unit={unit}"

    host = FakeHost(
        {
            said("a.service"): "Dependency failed for a.\n",
            said("db.service"): "cannot write /run/db\n",
            "systemctl show --property=Requires": "system.slice db.service\n",
            "systemctl show --no-pager": text({**RUNNING, "ActiveState": "inactive"}),
        }
    )
    shown = [text({**RUNNING, "ActiveState": state}) for state in ("active", "failed")]
    argv = "systemctl show --no-pager --timestamp=us+utc --property=" + unit.PROPERTIES
    host.answers[f"{argv} -- system.slice db.service"] = "\n".join(shown)
    assert Unit("a.service").diagnose(host)[1:] == [
        "Dependency failed for a.",
        "it needs db.service, which failed:",
        "cannot write /run/db",
    ]


def test_where_nothing_is_to_be_learnt_of_what_a_unit_needs_its_own_journal_is_told() -> None:
    shown = text({**RUNNING, "ActiveState": "failed"})
    argv = "systemctl show --no-pager --timestamp=us+utc --property=" + unit.PROPERTIES
    answers: dict[str, Any] = {"journalctl": "one\n", "systemctl show --property=Requires": "db.service\n"}
    host = FakeHost({**answers, argv: shown, f"{argv} -- db.service": (1, "", "no bus")})
    assert Unit("a.service").diagnose(host)[1:] == ["one"]


def test_a_unit_is_not_looked_at_while_another_step_enables_one() -> None:
    enabling, looked = threading.Event(), threading.Event()

    class Slow(FakeHost):
        def run(self, argv: Any, **options: Any) -> Any:
            if argv[:2] == ["systemctl", "enable"]:
                enabling.set()
                # Until now systemd says of every unit that its file has changed.
                assert not looked.wait(0.2)
            if enabling.is_set() and argv[:2] == ["systemctl", "show"] and argv[-1] == "other.service":
                looked.set()
            return super().run(argv, **options)

    stopped = {**RUNNING, "ActiveState": "inactive", "UnitFileState": "disabled"}
    host = Slow({"systemctl": "", "systemctl show": text(stopped)})
    other = threading.Thread(target=lambda: enabling.wait() and Unit.query([Unit("other.service")], host))
    other.start()
    Unit("x.service", active=False).fix({}, host)
    other.join()
    assert looked.is_set()
