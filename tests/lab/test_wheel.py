"""The wheel, installed into an environment of its own, works outside the checkout."""

import subprocess
import sys
import zipfile

import pytest

from installer.environment import python_of
from installer.paths import ROOT

pytestmark = pytest.mark.lab


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


def test_it_generates_a_valid_answer_file_outside_the_checkout(wheel, tmp_path):
    command(sys.executable, "-m", "venv", tmp_path / "env", cwd=tmp_path)
    command(tmp_path / "env/bin/pip", "--disable-pip-version-check", "install", "-q", wheel, cwd=tmp_path)
    pystack = tmp_path / "env/bin/pystack"
    command(pystack, "generate", "--output", "cloud.txt", cwd=tmp_path)
    assert "is valid" in command(pystack, "validate", "cloud.txt", cwd=tmp_path)
    assert command(pystack, "--version", cwd=tmp_path).startswith("pystack ")
