"""The launcher's virtual environment: when it is made anew, and when it is left alone."""

import json
import subprocess
import sys

import pytest

from installer import environment
from installer.paths import ROOT


@pytest.fixture
def checkout(tmp_path):
    (tmp_path / "pyproject.toml").write_text(
        '[project]\ndependencies = ["a>=1", "b"]\n[project.optional-dependencies]\ntest = ["c"]\n'
    )
    python = environment.python_of(tmp_path)
    python.parent.mkdir(parents=True)
    python.symlink_to(sys.executable)
    return tmp_path


def stamp(checkout, dependencies, interpreter=None):
    content = {
        "interpreter": interpreter or str(environment.python_of(checkout).resolve()),
        "dependencies": dependencies,
    }
    (checkout / ".venv" / environment.STAMP).write_text(json.dumps(content))


def ready(checkout, extra=""):
    return environment.is_ready(checkout, environment.dependencies(checkout, extra))


def test_an_environment_with_all_dependencies_is_left_alone(checkout):
    stamp(checkout, ["a>=1", "b"])
    assert ready(checkout)
    environment.prepare(checkout)


def test_a_new_version_or_a_new_dependency_is_installed(checkout):
    stamp(checkout, ["a", "b"])
    assert not ready(checkout)


def test_the_tests_want_more_than_pystack_itself(checkout):
    stamp(checkout, ["a>=1", "b"])
    assert not ready(checkout, "test")
    stamp(checkout, ["a>=1", "b", "c"])
    assert ready(checkout)
    assert ready(checkout, "test")


def test_a_half_made_environment_is_made_anew(checkout):
    assert not ready(checkout)
    (checkout / ".venv" / environment.STAMP).write_text('{"dependen')
    assert not ready(checkout)


def test_an_environment_of_an_interpreter_that_is_gone_or_another_is_made_anew(checkout):
    stamp(checkout, ["a>=1", "b"], interpreter="/usr/bin/python3.10")
    assert not ready(checkout)
    stamp(checkout, ["a>=1", "b"])
    environment.python_of(checkout).unlink()
    assert not ready(checkout)


def test_a_program_that_fails_is_told_with_its_last_lines_and_a_remedy():
    script = "import sys; print('the reason'); sys.exit(3)"
    with pytest.raises(environment.EnvironmentProblem) as caught:
        environment._run([sys.executable, "-c", script], "it failed", "do this")
    assert str(caught.value) == "it failed (exit code 3)\n  the reason\nremedy: do this"


def test_the_launcher_tells_its_version_from_any_folder(tmp_path):
    (tmp_path / "pystack").symlink_to(ROOT / "pystack")
    done = subprocess.run([tmp_path / "pystack", "--version"], cwd="/", capture_output=True, text=True)
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout.startswith("pystack ")


@pytest.mark.parametrize(("apt", "remedy"), [("/usr/bin/apt-get", "as root, apt-get install python3."), (None, "PATH")])
def test_the_remedy_of_a_python_without_venv_is_one_that_this_machine_has(monkeypatch, tmp_path, apt, remedy):
    monkeypatch.setattr(environment.subprocess, "call", lambda *words, **more: 1)
    monkeypatch.setattr(environment.shutil, "which", lambda name: apt)
    monkeypatch.setattr(environment.os, "geteuid", lambda: 1000)
    with pytest.raises(environment.EnvironmentProblem, match=sys.executable) as raised:
        environment._make_empty(tmp_path)
    assert remedy in str(raised.value)
    assert ("apt-get" in str(raised.value)) is bool(apt)
