"""What the journals of runs tell of real machines."""

from __future__ import annotations

import json
import subprocess
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
import yaml

from installer import answers
from installer.journal import Run
from tests.matrix.declared import BACKENDS, CHECKS, FEATURES, unknown
from tests.matrix.machines import older_than_checkout, platform_of, results_of
from tests.matrix.results import Kind

CASES = yaml.safe_load((Path(__file__).resolve().parent / "machines.yaml").read_text())
BEGIN = datetime(2026, 12, 1, 10, tzinfo=UTC)


def run_of(folder: Path, case: dict[str, Any]) -> Run:
    """Return the run of a case, whose cloud keeps its volumes in a volume group."""
    findings = [("platform", host, title) for host, title in case["hosts"].items()]
    findings += [("SELinux", host, case["selinux"]) for host in case["hosts"]]
    events: list[dict[str, Any]] = [
        {"event": "finding", "title": title, "host": host, "found": found} for title, host, found in findings
    ]
    events += [
        {"event": "verdict", "check": check, "outcome": outcome} for check, outcome in case.get("verdicts", {}).items()
    ]
    (folder / "events.jsonl").write_text("".join(json.dumps(event) + "\n" for event in events))
    file = folder / "cloud.txt"
    answers.write(file, answers.generate((), {"CONFIG_CONTROLLER_HOST": "192.0.2.1"}))
    digest = answers.load(file).digest()
    code = case.get("exit_code", 0)
    return Run(folder, "install", [], BEGIN, 120.0, code, False, str(file), case["totals"], digest)


@pytest.mark.parametrize("case", CASES, ids=lambda case: case["title"])
def test_a_run_shows_what_it_verified_on_each_platform(case: dict[str, Any], tmp_path: Path) -> None:
    results = results_of(run_of(tmp_path, case), "abc1234")
    shown: dict[str, dict[str, bool]] = {}
    for one in results:
        assert (one.kind, one.commit, one.date) == (Kind.MACHINE, "abc1234", "2026-12-01T10:00:00Z")
        shown.setdefault(one.platform, {})[one.shows[0]] = one.passed
    assert shown == case["shows"]
    assert {str(one.measured) for one in results if one.measured} == (
        {str(case["measured"])} if case["measured"] else set()
    )


def test_volumes_are_of_no_kind_where_the_answer_file_is_another_one_now(tmp_path: Path) -> None:
    run = run_of(tmp_path, CASES[0])
    Path(run.answer_file).unlink()
    answers.write(Path(run.answer_file), answers.generate((), {"CONFIG_CONTROLLER_HOST": "192.0.2.9"}))
    assert "volumes-lvm" not in {one.shows[0] for one in results_of(run, "abc1234")}


@pytest.mark.parametrize(
    ("changes", "told"),
    [
        ({"exit_code": 5}, "came to its end"),
        ({"hosts": {}}, "does not tell what its hosts run"),
        ({"hosts": {"192.0.2.7": "Debian GNU/Linux 13 (trixie)"}}, "on lab hosts, not on machines: 192.0.2.7"),
        ({"hosts": {"192.0.2.1": "Slackware 15.0"}}, "'Slackware 15.0' is none of the platforms"),
    ],
)
def test_a_run_that_tells_nothing_of_machines_is_refused(changes: dict[str, Any], told: str, tmp_path: Path) -> None:
    with pytest.raises(ValueError, match=told):
        results_of(run_of(tmp_path, {**CASES[0], **changes}), "abc1234", ["192.0.2.7"])


@pytest.mark.parametrize(
    ("title", "platform"),
    [
        ("Debian GNU/Linux 12 (bookworm)", "debian-12"),
        ("CentOS Stream 10 (Coughlan)", "el-10"),
        ("Red Hat Enterprise Linux 9.4 (Plow)", "el-9"),
        ("Rocky Linux 9.4 (Blue Onyx)", "el-9"),
        ("AlmaLinux 10.0 (Purple Lion)", "el-10"),
    ],
)
def test_a_platform_is_known_by_the_distributions_own_name(title: str, platform: str) -> None:
    assert platform_of(title) == platform


def test_what_checks_show_is_declared() -> None:
    assert unknown([*BACKENDS.values(), *(name for names in CHECKS.values() for name in names)], FEATURES) == []


def test_a_run_before_the_commit_was_not_of_it(tmp_path: Path) -> None:
    git = ["git", "-C", str(tmp_path), "-c", "user.name=x", "-c", "user.email=x"]
    subprocess.run([*git, "init", "--quiet"], check=True)
    subprocess.run([*git, "commit", "--quiet", "--allow-empty", "--message=x"], check=True)
    assert older_than_checkout(datetime(2020, 1, 1, tzinfo=UTC), tmp_path)
    assert not older_than_checkout(datetime(2100, 1, 1, tzinfo=UTC), tmp_path)
