"""All checks together: which are made, that none keeps another from it, and that what was made goes."""

import fcntl
import os
from pathlib import Path
from types import SimpleNamespace

import pytest

from installer.errors import UsageError
from installer.outcome import Verdict
from installer.verify import cleaning, looking
from installer.verify.checks import CHECKS, TEMPEST, chosen
from installer.verify.cleaning import Kind, sweep
from installer.verify.failing import CheckFailed, NotLoggedIn
from installer.verify.live import Live
from installer.verify.names import FOREIGN_SECONDS, is_left_behind, new_run, operator

EVERYTHING = {name: True for check in CHECKS for name in check.needs}


class Things:
    """What a service lists: one goes when it is removed, unless it is stuck."""

    def __init__(self, *names, stuck=()):
        self.there = [SimpleNamespace(id=name, name=name) for name in names]
        self._stuck = stuck

    def remove(self, live, thing):
        if thing.name not in self._stuck:
            self.there.remove(thing)

    def kind(self, noun, seconds=1.0):
        return Kind(noun, "", lambda live: [(one.name, one) for one in self.there], self.remove, seconds)


@pytest.fixture
def cloud(monkeypatch, tmp_path):
    monkeypatch.setattr("installer.verify.waiting.LOOK_EVERY", 0.1)
    monkeypatch.setattr(cleaning, "KINDS", ())
    events = []
    live = Live(EVERYTHING, (), Path(), connect=None, listen=events.append, folder=tmp_path, records=tmp_path)
    live.events = events
    return live


def run(live, monkeypatch, looks=None, trials=None, only=(), keep=False):
    def good(subject):
        yield Verdict("good", "success", "")

    monkeypatch.setattr(looking, "LOOKS", {**dict.fromkeys(looking.LOOKS, good), **(looks or {})})
    monkeypatch.setattr(looking, "TRIALS", {**dict.fromkeys(looking.TRIALS, good), **(trials or {})})
    monkeypatch.setattr(looking, "LAST", dict.fromkeys(looking.LAST, good))
    monkeypatch.setattr("installer.verify.guest.Doors.__init__", lambda self, live: setattr(self, "_through", None))
    return looking.Looking(live, chosen(only), keep).run()


def outcomes(verdicts):
    return {verdict.check: verdict.outcome for verdict in verdicts if verdict.check != "removal"}


def test_every_check_that_has_a_name_can_be_made():
    others = {check.name for check in (*CHECKS, TEMPEST) if not check.boots}
    assert others == set(looking.LOOKS) | set(looking.LAST)
    assert not set(looking.LOOKS) & set(looking.LAST)
    assert {check.name for check in CHECKS if check.boots} == set(looking.TRIALS)


def test_checks_are_chosen_by_name_in_their_own_order():
    assert [check.name for check in chosen(["volume", "login,compute"])] == ["login", "compute", "volume"]
    assert chosen([]) == CHECKS


def test_a_check_that_there_is_not_is_answered_with_those_that_there_are():
    with pytest.raises(UsageError) as refused:
        chosen(["compute", "stroage"])
    assert "stroage" in refused.value.message
    assert all(check.name in refused.value.remedy for check in CHECKS)


@pytest.mark.parametrize(
    "problem", [CheckFailed("down"), OSError("no way"), UsageError("odd")], ids=lambda problem: type(problem).__name__
)
def test_one_that_fails_keeps_no_other_from_being_made(cloud, monkeypatch, problem):
    def bad(subject):
        raise problem
        yield

    found = outcomes(run(cloud, monkeypatch, {"endpoints": bad}, {"instance": bad}))
    assert {name for name, outcome in found.items() if outcome == "fail"} == {"endpoints", "instance"}
    assert found.keys() == {check.name for check in CHECKS}


def test_what_the_answer_file_does_not_install_is_left_out_and_said_so(cloud, monkeypatch):
    cloud.answers = {**EVERYTHING, "CONFIG_CINDER_INSTALL": False}
    verdicts = run(cloud, monkeypatch)
    left_out = [verdict for verdict in verdicts if verdict.outcome == "skipped"]
    assert {verdict.check for verdict in left_out} == {"volume", "attached-volume", "volume-boot"}
    assert all("CONFIG_CINDER_INSTALL=n" in verdict.found for verdict in left_out)


def test_a_login_that_fails_is_told_once(cloud, monkeypatch):
    def bad(subject):
        raise NotLoggedIn("503")
        yield

    def told(subject):
        yield NotLoggedIn("503").verdict("admin logs in")

    found = outcomes(run(cloud, monkeypatch, {"login": told, "endpoints": bad, "compute": bad}))
    assert (found["login"], found["endpoints"], found["compute"]) == ("fail", "skipped", "skipped")
    alone = outcomes(run(cloud, monkeypatch, {"compute": bad}, only=["compute"]))
    assert alone == {"compute": "fail"}


def test_every_verdict_and_every_check_is_an_event(cloud, monkeypatch):
    verdicts = run(cloud, monkeypatch, only=["login"])
    assert [event["event"] for event in cloud.events] == ["check", "verdict", "check"]
    assert cloud.events[1] == {"event": "verdict", **vars(verdicts[0])}


@pytest.mark.parametrize("end", [None, CheckFailed("down"), KeyboardInterrupt()], ids=["good", "failure", "Ctrl-C"])
def test_what_was_made_is_removed_however_it_ends(cloud, monkeypatch, end):
    things = Things("somebody-elses", new_run(operator(), 1) + "old", new_run("0000", 1) + "foreign")
    monkeypatch.setattr(cleaning, "KINDS", (things.kind("thing"),))

    def trial(workshop):
        assert [one.name for one in things.there] == ["somebody-elses"]
        things.there.append(SimpleNamespace(id="new", name=f"{workshop.run}new"))
        if end:
            raise end
        yield Verdict("good", "success", "")

    if isinstance(end, KeyboardInterrupt):
        with pytest.raises(KeyboardInterrupt):
            run(cloud, monkeypatch, trials={"instance": trial}, only=["instance"])
    else:
        run(cloud, monkeypatch, trials={"instance": trial}, only=["instance"])
    assert [one.name for one in things.there] == ["somebody-elses"]
    said = [event["found"] for event in cloud.events if event["event"] == "verdict" and event["check"] == "removal"]
    assert said == ["2 things", "1 thing; nothing is left"]


def test_what_is_kept_stays_and_is_named(cloud, monkeypatch):
    things = Things()
    monkeypatch.setattr(cleaning, "KINDS", (things.kind("thing"),))

    def trial(workshop):
        things.there.append(SimpleNamespace(id="new", name=f"{workshop.run}new"))
        yield Verdict("good", "success", "")

    verdicts = run(cloud, monkeypatch, trials={"instance": trial}, only=["instance"], keep=True)
    [kept] = things.there
    assert kept.name.removesuffix("new") in verdicts[-1].found


def test_what_cannot_be_removed_is_named_and_the_rest_goes_all_the_same(cloud, monkeypatch):
    stuck, other = Things("pystack-verify-a", stuck=["pystack-verify-a"]), Things("pystack-verify-b")
    monkeypatch.setattr(cleaning, "KINDS", (stuck.kind("volume", 0.3), other.kind("flavor")))
    swept = sweep(cloud, lambda name: name.startswith("pystack-verify-"))
    assert (dict(swept.removed), other.there) == ({"flavor": 1}, [])
    [left] = swept.left
    assert "pystack-verify-a" in left


def test_tempest_is_run_only_when_it_is_asked_for_and_then_last(cloud, monkeypatch):
    def suite(live):
        yield Verdict("smoke", "success", str(live.records))

    monkeypatch.setattr(looking, "LAST", {TEMPEST.name: suite})
    assert TEMPEST.name not in outcomes(run(cloud, monkeypatch))
    verdicts = looking.Looking(cloud, (TEMPEST, *chosen(["login", "instance"])), keep=False).run()
    assert list(outcomes(verdicts)) == ["login", "instance", "tempest"]


NOW = 1_800_000_000.0


@pytest.mark.parametrize(
    ("name", "is_due"),
    [
        (new_run("abcd", NOW - 60) + "image", True),
        (new_run("0123", NOW - 60) + "image", False),
        (new_run("0123", NOW - FOREIGN_SECONDS - 60) + "image", True),
        ("pystack-verify-by-hand", False),
        ("database", False),
        ("", False),
    ],
    ids=["own", "another machine's", "another machine's of long ago", "of a like name", "somebody's", "without a name"],
)
def test_what_another_operators_verify_is_at_work_with_is_left_alone(name, is_due):
    assert is_left_behind(name, "abcd", NOW) == is_due


def test_a_second_verify_of_the_same_operator_waits_for_the_first(cloud, monkeypatch):
    lock = os.open(cloud.folder / looking.LOCK_FILE, os.O_WRONLY | os.O_CREAT)
    fcntl.flock(lock, fcntl.LOCK_EX)
    listen, told = cloud.listen, []

    def release(event):
        if event["event"] == "progress" and not told:
            told.append(event["text"])
            os.close(lock)
        listen(event)

    cloud.listen = release
    assert outcomes(run(cloud, monkeypatch, only=["instance"])) == {"instance": "success"}
    assert told == ["waiting for another verify of this cloud to end: 0 s"]
