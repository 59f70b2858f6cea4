"""What is kept of tests that use lab hosts; the lab is made of names here."""

from __future__ import annotations

import subprocess
from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from installer import lab
from tests.matrix import recording
from tests.matrix.results import Kind, Result, read

pytest_plugins = ["pytester"]

INI = """
[pytest]
markers =
    lab: needs hosts
    shows(*features): what it shows
"""
CONFTEST = """
from pathlib import Path
import pytest
from installer import lab
from tests.matrix import recording

def pytest_addoption(parser):
    parser.addoption("--record", action="store_true")
    parser.addoption("--platform", default="")

def pytest_configure(config):
    file = Path("results.jsonl")
    def added():
        if "unreadable" in file.read_text():
            raise ValueError("line 1")
        Path("document").write_text(file.read_text())
    recording.install(config, file if config.getoption("--record") else None, added, config.getoption("--platform"))

@pytest.fixture(scope="session")
def measured(request):
    return request.config.pluginmanager.get_plugin(recording.PLUGIN).measured

@pytest.fixture(scope="session")
def everywhere():
    return lab.up(["t-all"])
"""
HEAD = """
import pytest
from installer import lab
pytestmark = [pytest.mark.lab, pytest.mark.shows("identity")]
"""


def up(names: list[str], platform: str = "debian-13", **has: Any) -> list[Any]:
    """Stand for the lab's own."""
    wish = SimpleNamespace(kernel=has.pop("kernel", "shared"))
    made = {"made_from": "distribution", **has}
    return [SimpleNamespace(name=name, platform=platform, wish=wish, **made) for name in names]


class Recorded:
    """Tests that ran, and what was kept of them."""

    def __init__(self, run: pytest.RunResult, results: list[Result]) -> None:
        self.run = run
        self.results = results

    def places(self) -> list[tuple[str, str, Kind | None, str, bool]]:
        """Return of each result the test's own name and parameter, where it ran and whether it passed."""
        return [(one.test.split("::")[-1], one.platform, one.kind, one.kernel, one.passed) for one in self.results]


Run = Callable[..., Recorded]


@pytest.fixture
def run(pytester: pytest.Pytester, monkeypatch: pytest.MonkeyPatch) -> Run:
    """Runs modules of tests with recording."""
    monkeypatch.setattr(lab, "up", up)
    monkeypatch.setattr(lab, "get", lambda name: up([name], "debian-12")[0])
    monkeypatch.setattr(recording, "commit", lambda: "abc1234")
    pytester.makeini(INI)
    pytester.makeconftest(CONFTEST)

    def run(*modules: str, options: tuple[str, ...] = ("--record",)) -> Recorded:
        pytester.makepyfile(**{f"test_{number}": HEAD + text for number, text in enumerate(modules)})
        done = pytester.runpytest_inprocess(*options)
        return Recorded(done, read(pytester.path / "results.jsonl"))

    return run


def test_hosts_of_which_a_test_does_not_say_the_platform_are_of_the_one_that_was_asked_for(run: Run) -> None:
    module = """
def test_anywhere(everywhere): pass
def test_here(): lab.up(["t-here"], "debian-12")
def test_by_name(): lab.up(["t-here"], platform="el-9")
"""
    platforms = [place[:2] for place in run(module, options=("--record", "--platform=el-10")).places()]
    assert platforms == [("test_anywhere", "el-10"), ("test_here", "debian-12"), ("test_by_name", "el-9")]


def test_hosts_of_fixtures_belong_to_the_tests_that_use_them_while_they_are_there(run: Run) -> None:
    first = """
@pytest.fixture(scope="module", params=["el-9", "debian-12"])
def host(request):
    return lab.up(["t-one"], request.param)[0]

@pytest.fixture
def cloud(host):
    return host

def test_of_the_module(cloud): pass

@pytest.mark.shows("images")
def test_of_the_session(everywhere): pass

def test_of_both(host, everywhere): pass
"""
    second = """
@pytest.fixture
def host(): return None

def test_another_one_of_the_same_name_made_none(host): pass

def test_of_the_session_later(everywhere): pass
"""
    kept = run(first, second)
    assert sorted(kept.places(), key=str) == [
        ("test_of_both[debian-12]", "debian-12", Kind.REAL, "shared", True),
        ("test_of_both[debian-12]", "debian-13", Kind.REAL, "shared", True),
        ("test_of_both[el-9]", "debian-13", Kind.REAL, "shared", True),
        ("test_of_both[el-9]", "el-9", Kind.REAL, "shared", True),
        ("test_of_the_module[debian-12]", "debian-12", Kind.REAL, "shared", True),
        ("test_of_the_module[el-9]", "el-9", Kind.REAL, "shared", True),
        ("test_of_the_session", "debian-13", Kind.REAL, "shared", True),
        ("test_of_the_session_later", "debian-13", Kind.REAL, "shared", True),
    ]
    assert {one.test: one.shows for one in kept.results}["test_0.py::test_of_the_session"] == ("identity", "images")
    assert {(one.commit, one.origin, one.date[-1]) for one in kept.results} == {("abc1234", "", "Z")}
    assert len({one.session for one in kept.results}) == 1
    assert kept.results[0].session


def test_hosts_that_a_test_makes_or_asks_for_by_name_are_its_own(run: Run) -> None:
    kept = run(
        """
def test_stand_in():
    lab.up(["t-one"], "el-9", made_from="stand-in")
    lab.up(["t-two"], "el-9", made_from="stand-in", kernel="own")

def test_by_name():
    lab.get("t-three")
"""
    )
    assert kept.places() == [
        ("test_stand_in", "el-9", Kind.STAND_IN, "both", True),
        ("test_by_name", "debian-12", Kind.REAL, "shared", True),
    ]


def test_what_fails_anywhere_has_failed_and_what_is_skipped_shows_nothing(run: Run) -> None:
    kept = run(
        """
@pytest.fixture(scope="module")
def broken():
    lab.up(["t-broken"], "el-9")
    raise RuntimeError("does not install")

@pytest.fixture
def left():
    yield lab.up(["t-left"], "el-10")
    raise RuntimeError("is not removed")

def test_setup(broken): pass

def test_setup_again(broken): pass

def test_call():
    lab.up(["t-one"])
    assert False

def test_teardown(left): pass

def test_skipped():
    lab.up(["t-one"])
    pytest.skip("not here")
"""
    )
    assert kept.places() == [
        ("test_setup", "el-9", Kind.REAL, "shared", False),
        ("test_setup_again", "el-9", Kind.REAL, "shared", False),
        ("test_call", "debian-13", Kind.REAL, "shared", False),
        ("test_teardown", "el-10", Kind.REAL, "shared", False),
    ]
    kept.run.stdout.fnmatch_lines(["*- lab hosts -*", "t-broken: el-9, made of the distribution's own packages*"])


def test_a_test_of_hosts_that_made_none_shows_nothing_and_one_that_needs_none_has_no_platform(run: Run) -> None:
    kept = run(
        """
def test_the_lab_is_broken():
    assert False

def test_it_asks_for_none(): pass
""",
        """
pytestmark = pytest.mark.shows("locks")

def test_none_is_needed(): pass
""",
        """
pytestmark = pytest.mark.lab

def test_of_the_product_nothing():
    lab.up(["t-one"])
""",
    )
    assert kept.places() == [("test_none_is_needed", "", None, "", True)]


def test_figures_are_kept_with_the_platform_of_the_host_that_they_are_of(run: Run) -> None:
    kept = run(
        """
@pytest.fixture(scope="module")
def cloud(measured):
    lab.up(["t-one"], "el-9")
    lab.up(["t-two"])
    measured("el-9", "identity", fresh_seconds=60.44)

def test_it(cloud, measured):
    measured(platform="el-9", cloud="identity", rerun_seconds=1.26, resources=51)
    with pytest.raises(ValueError, match="'identiti' is not declared; did you mean 'identity'"):
        measured("el-9", "identiti")
    with pytest.raises(ValueError, match="'fresh' is not declared"):
        measured("el-9", "identity", fresh=1)
    with pytest.raises(ValueError, match="no lab host of this test has platform 'fedora-44', but debian-13, el-9"):
        measured("fedora-44", "identity", rerun_seconds=1)
"""
    )
    figures = {one.platform: {cloud: dict(some) for cloud, some in one.measured.items()} for one in kept.results}
    assert figures["el-9"]["identity"].pop("load") >= 0
    assert figures == {
        "el-9": {"identity": {"fresh_seconds": 60.4, "rerun_seconds": 1.3, "resources": 51}},
        "debian-13": {},
    }


def test_a_feature_that_nobody_has_declared_is_refused(run: Run) -> None:
    kept = run('@pytest.mark.shows("isci")\ndef test_it(): pass')
    assert kept.run.ret == pytest.ExitCode.USAGE_ERROR
    kept.run.stderr.fnmatch_lines(
        ["*test_it: feature 'isci' is not declared; did you mean 'iscsi'*", "*declared.yaml*"]
    )


def test_reports_name_the_hosts_and_nothing_is_kept_where_nobody_asked(run: Run, pytester: pytest.Pytester) -> None:
    module = """
def test_it():
    lab.up(["t-one"], "el-9", made_from="stand-in", kernel="own")
"""
    kept = run(module, options=("--junit-xml=report.xml",))
    told = "t-one: el-9, a stand-in made from another one, own kernel"
    kept.run.stdout.fnmatch_lines(["*= lab hosts =*", told])
    assert f'<property name="lab hosts" value="{told}" />' in (pytester.path / "report.xml").read_text()
    assert kept.results == []
    assert lab.up is up


def test_the_document_is_written_with_each_result_and_what_stands_in_the_way_is_told(
    run: Run, pytester: pytest.Pytester
) -> None:
    kept = run(
        """
from pathlib import Path

def test_it():
    lab.up(["t-one"])

def test_a_later_one():
    assert Path("document").read_text() == Path("results.jsonl").read_text()
    lab.up(["t-unreadable"], "unreadable")
"""
    )
    assert [one.passed for one in kept.results] == [True, True]
    kept.run.stdout.fnmatch_lines(["kept in results.jsonl", "the document was not written: line 1"])


def test_a_checkout_with_changes_is_told_but_not_those_of_results(tmp_path: Path) -> None:
    def git(*words: str) -> None:
        subprocess.run(["git", "-C", str(tmp_path), "-c", "user.name=x", "-c", "user.email=x", *words], check=True)

    assert recording.commit(tmp_path) == "unknown"
    git("init", "--quiet")
    for name in ("tests/matrix/results.jsonl", "docs/test-matrix.md", "roles/role.py"):
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_text("before\n")
    git("add", ".")
    git("commit", "--quiet", "--message=all")
    clean = recording.commit(tmp_path)
    assert len(clean) == 7
    (tmp_path / "tests/matrix/results.jsonl").write_text("after\n")
    (tmp_path / "docs/test-matrix.md").write_text("after\n")
    assert recording.commit(tmp_path) == clean
    (tmp_path / "roles/role.py").write_text("after\n")
    assert recording.commit(tmp_path) == f"{clean}+changes"
