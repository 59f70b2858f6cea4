"""The journals of runs."""

import json
import os
import stat
import subprocess
import sys
from datetime import UTC, datetime

import pytest

from installer import journal
from installer.errors import UsageError
from installer.paths import ROOT
from installer.report import page, runs

SECRET = "hunter22/ü"


@pytest.fixture(autouse=True)
def folder(tmp_path, monkeypatch):
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path))
    yield tmp_path / "pystack" / "runs"
    for run in OPEN:
        run.end(0)
    OPEN.clear()


OPEN = []


def begun(verb="install", **more):
    run = journal.Journal.begin(verb, [verb, "--answer-file", "cloud.txt"], secrets=[SECRET], **more)
    OPEN.append(run)
    return run


def ended(code=0, verb="install", **totals):
    run = begun(verb)
    run.end(code, totals)
    return run


def test_a_run_is_kept_with_what_was_asked_and_how_it_ended(folder):
    run = begun(answer_file="cloud.txt", digest="abc")
    run.take({"event": "phase", "name": "install"})
    run.end(5, {"changed": 3})
    kept = json.loads((folder / run.run / "summary.json").read_text())
    assert kept["verb"] == "install"
    assert kept["argv"] == ["install", "--answer-file", "cloud.txt"]
    assert (kept["answer_file"], kept["digest"]) == ("cloud.txt", "abc")
    assert (kept["exit_code"], kept["totals"]) == (5, {"changed": 3})
    assert datetime.fromisoformat(kept["end"]).tzinfo == UTC
    [found] = journal.runs()
    assert (found.outcome, found.totals["changed"]) == ("failed", 3)
    assert [event["event"] for event in found.events()] == ["phase"]


def test_the_journal_is_for_its_owner_only(folder):
    run = begun()
    run.take({"event": "phase"})
    run.write_failure("x")
    run.end(1)
    run.write_report("<p>")
    assert stat.S_IMODE(folder.stat().st_mode) == 0o700
    assert stat.S_IMODE(run.folder.stat().st_mode) == 0o700
    assert {stat.S_IMODE(file.stat().st_mode) for file in run.folder.iterdir()} == {0o600}


def test_a_known_secret_is_masked_wherever_it_turns_up():
    run = begun()
    run.take({"event": "resource", "lines": [f"password = {SECRET}"], "deep": {SECRET: [SECRET]}})
    run.take({"event": "progress", "text": "https://admin:hunter22%2F%C3%BC@host/"})
    run.write_failure(f"login with {SECRET} failed")
    run.end(5, {"note": SECRET})
    for file in run.folder.iterdir():
        text = file.read_text()
        assert "hunter22" not in text, file.name
    assert (run.folder / "events.jsonl").read_text().count("********") == 4


def test_a_run_that_goes_on_shows_as_running_and_one_that_was_killed_as_interrupted():
    script = (
        "import os, sys; from installer.journal import Journal\n"
        "Journal.begin('install', ['install']); print('begun', flush=True); sys.stdin.read()"
    )
    process = subprocess.Popen(
        [sys.executable, "-c", script], cwd=ROOT, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    )
    assert process.stdout.readline() == "begun\n"
    assert [run.outcome for run in journal.runs()] == ["running"]
    process.kill()
    process.communicate()
    assert [run.outcome for run in journal.runs()] == ["interrupted"]


def test_the_last_hundred_runs_are_kept(monkeypatch):
    monkeypatch.setattr(journal, "KEPT", 3)
    made = [ended(verb=verb).run for verb in ("plan", "plan", "install", "verify", "plan")]
    kept = {run.name for run in journal.runs()}
    assert len(kept) == 3
    assert made[-1] in kept


def test_a_run_is_found_by_its_name_by_the_end_of_it_and_as_the_last():
    run = ended()
    assert journal.find(run.run).name == run.run
    assert journal.find(run.run[-4:]).name == run.run
    assert journal.find("last").name == run.run
    with pytest.raises(UsageError, match="there is no run called 'x'"):
        journal.find("x")


def test_a_journal_that_cannot_be_written_is_said_before_anything_is_done(tmp_path, monkeypatch):
    (tmp_path / "file").write_text("")
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path / "file"))
    with pytest.raises(journal.JournalNotWritable, match="cannot be written") as caught:
        begun()
    assert "XDG_STATE_HOME" in caught.value.remedy


def test_what_is_no_journal_is_passed_over(folder):
    ended()
    (folder / "junk").mkdir()
    (folder / "other" / "x").mkdir(parents=True)
    (folder / "half").mkdir()
    (folder / "half" / "summary.json").write_text('{"verb": "ins')
    assert len(journal.runs()) == 1


def test_an_event_after_the_end_does_no_harm():
    run = ended()
    run.take({"event": "progress", "text": "too late"})
    assert journal.find(run.run).events() == []


def test_an_event_line_that_was_cut_short_is_left_out():
    run = begun()
    run.take({"event": "phase", "name": "install"})
    with open(run.folder / "events.jsonl", "a") as file:
        file.write('{"event": "ph')
    assert len(journal.find(run.run).events()) == 1


def test_undecodable_text_is_kept_all_the_same():
    run = begun()
    run.take({"event": "progress", "text": "bad \udcff byte"})
    run.write_failure("bad \udcff byte")
    run.end(5)
    assert "bad" in journal.find(run.run).failure()


ROLES = [{"host": "h1", "role": "base", "outcome": "converged", "changed": 2, "unchanged": 1, "seconds": 3.0}]


def test_status_lists_runs_with_outcome_changes_and_place(folder):
    run = ended(10, "plan")
    told = [line for line, _ in runs.listed(journal.runs(), str(folder))]
    assert told[0].split() == ["when", "command", "outcome", "changed", "time", "run"]
    assert "would change" in told[1]
    assert run.run in told[1]
    assert str(folder) in told[2]


def test_status_of_one_run_shows_its_summary_and_its_failure():
    run = begun()
    run.write_failure("FAILED  h1: role base\n  problem   it broke")
    run.end(5, {"changed": 2, "unchanged": 1, "seconds": 3.0, "roles": ROLES})
    told = "\n".join(line for line, _ in runs.told(journal.find("last"), 80))
    assert "failed (exit code 5)" in told
    assert "2 changed, 1 unchanged" in told
    assert "it broke" in told


def test_the_page_of_a_run_escapes_everything():
    run = begun()
    evil = "<script>alert('x')</script>"
    run.take({"event": "verdict", "title": evil, "outcome": "fail", "found": evil, "remedy": evil})
    run.take({"event": "resource", "host": evil, "step": "base", "resource": evil, "what": "changed", "lines": [evil]})
    run.write_failure(evil)
    run.end(5, {"roles": [{**ROLES[0], "role": evil}]})
    made = page.render(journal.find(run.run))
    assert "<script" not in made
    assert made.count("&lt;script&gt;") == 8
    assert "http" not in made


def test_relative_state_folders_are_ignored_as_the_specification_wants(monkeypatch):
    monkeypatch.setenv("XDG_STATE_HOME", "relative")
    monkeypatch.setenv("HOME", "/home/someone")
    assert str(journal.base()) == "/home/someone/.local/state/pystack/runs"
    assert not os.path.exists("relative")


@pytest.mark.parametrize(
    ("history", "expected"),
    [
        ([("install", "abc", 0)], True),
        ([("install", "abc", 0), ("plan", "abc", 10)], True),
        ([("install", "abc", 6), ("verify", "abc", 0)], True),
        ([], False),
        ([("install", "another", 0)], False),
        ([("install", "abc", 0), ("install", "abc", 6)], False),
        ([("install", "abc", 0), ("install", "another", 0)], False),
        ([("install", "abc", 0), ("install", "abc", None)], False),
    ],
)
def test_a_cloud_counts_as_verified_until_a_later_run_did_not_end_well_or_was_for_another(folder, history, expected):
    for verb, digest, code in history:
        run = begun(verb, digest=digest)
        if code is not None:
            run.end(code)
    current = begun(digest="abc")
    found = journal.last_verified("abc", current.run)
    assert (found is not None) is expected
