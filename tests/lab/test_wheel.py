"""The wheel, installed into an environment of its own, works outside the checkout."""

import os
import subprocess
import sys
import zipfile

import pytest

from installer import answers, lab
from installer.environment import python_of
from installer.paths import ROOT
from tests.lab.command_line import Operator
from tests.lab.identity_only import IDENTITY_ONLY

pytestmark = [pytest.mark.lab, pytest.mark.shows("wheel")]


def command(*argv, cwd):
    done = subprocess.run([str(word) for word in argv], cwd=cwd, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    return done.stdout


@pytest.fixture(scope="module")
def wheel(tmp_path_factory):
    folder = tmp_path_factory.mktemp("wheel")
    pip = [python_of(ROOT), "-m", "pip", "--disable-pip-version-check", "wheel", "-q", "--no-deps"]
    command(*pip, "--wheel-dir", folder, ROOT, cwd=folder)
    [made] = folder.glob("*.whl")
    return made


def test_it_holds_the_four_folders_and_nothing_that_does_not_belong_there(wheel):
    names = zipfile.ZipFile(wheel).namelist()
    for folder in ("installer", "roles", "answers", "templates"):
        assert any(name.startswith(f"pystack_installer/{folder}/") for name in names)
    unwanted = ("__pycache__", ".pyc", ".venv/", "tests/", ".mypy_cache", ".ruff_cache", ".git/")
    assert not [name for name in names if any(part in name for part in unwanted)]


@pytest.fixture(scope="module")
def program(wheel, tmp_path_factory):
    """The command of an environment that has the wheel and nothing of the checkout."""
    folder = tmp_path_factory.mktemp("env")
    command(sys.executable, "-m", "venv", folder, cwd=folder)
    command(folder / "bin/pip", "--disable-pip-version-check", "install", "-q", wheel, cwd=folder)
    return folder / "bin/pystack"


def test_it_generates_a_valid_answer_file_outside_the_checkout(program, tmp_path):
    command(program, "generate", "--output", "cloud.txt", cwd=tmp_path)
    assert "is valid" in command(program, "validate", "cloud.txt", cwd=tmp_path)
    assert command(program, "--version", cwd=tmp_path).startswith("pystack ")


@pytest.mark.shows("identity", "second-run")
@pytest.mark.skipif(os.geteuid() != 0, reason="making lab hosts needs root")
@pytest.mark.timeout(900)
def test_it_installs_a_cloud_outside_the_checkout_and_changes_nothing_a_second_time(program, tmp_path):
    lab.down([host.name for host in lab.hosts() if host.name == "t-wheel"])
    (host,) = lab.up(["t-wheel"])
    try:
        values = {**lab.answers([host]), **IDENTITY_ONLY, "CONFIG_SSH_KEY": str(host.private_key)}
        answers.write(tmp_path / "cloud.txt", answers.generate((), values))
        operator = Operator(tmp_path, program)
        for changes in (True, False):
            done = operator.run("install", f"--answer-file={tmp_path}/cloud.txt", "--json", timeout=800)
            assert done.code == 0, (done.out + done.err)[-4000:]
            assert bool(done.event("summary")["changed"]) is changes
    finally:
        lab.down(["t-wheel"])
