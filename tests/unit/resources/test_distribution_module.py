"""A module of the distribution in a virtual environment: links, and only for the same Python."""

from __future__ import annotations

import os
import sys
from pathlib import Path

import pytest

from installer.agent.host import CommandFailed, Host
from installer.resources.base import CannotFix
from installer.resources.distribution_module import DistributionModule

VERSION = f"{sys.version_info[0]}.{sys.version_info[1]}"


@pytest.fixture
def module(tmp_path: Path) -> DistributionModule:
    """A module ``virt`` of the distribution, and an environment whose interpreter sees what is linked into it."""
    distribution, environment = tmp_path / "dist-packages", tmp_path / "environment"
    site = environment / f"lib/python{VERSION}/site-packages"
    for folder in (distribution, site, environment / "bin"):
        folder.mkdir(parents=True)
    (distribution / "virt.py").write_text("import virt_other\n")
    (distribution / "virt_other.py").write_text("")
    (distribution / "unrelated.py").write_text("")
    python = environment / "bin/python"
    python.write_text(f'#!/bin/sh\nPYTHONPATH={site} exec {sys.executable} -B "$@"\n')
    python.chmod(0o755)
    return DistributionModule("virt", str(distribution), ("virt*.py", "virtmod*.so"), str(environment), str(site))


def test_links_are_made_to_all_its_files_and_to_nothing_else(module: DistributionModule) -> None:
    assert module.state() is None
    module.fix(None, Host())
    assert module.state() == module.expected()
    assert sorted(os.listdir(module.site)) == ["virt.py", "virt_other.py"]


def test_a_link_that_is_missing_is_named_and_made(module: DistributionModule) -> None:
    module.fix(None, Host())
    os.unlink(Path(module.site) / "virt_other.py")
    assert module.state() == {"links": "without virt_other.py"}
    module.fix(module.state(), Host())
    assert module.state() == module.expected()


def test_a_module_for_another_python_is_refused_before_anything_is_linked(module: DistributionModule) -> None:
    (Path(module.folder) / "virtmod.cpython-39-x86_64-linux-gnu.so").write_text("")
    with pytest.raises(CannotFix, match=r"is for Python 3\.9, and OpenStack runs with Python " + VERSION):
        module.fix(None, Host())
    assert os.listdir(module.site) == []


def test_a_module_that_no_package_has_brought_is_said_so(module: DistributionModule) -> None:
    nothing = DistributionModule("virt", "/nonexistent", module.files, module.environment, module.site)
    assert nothing.state() is None
    with pytest.raises(CannotFix, match="no package has brought"):
        nothing.fix(None, Host())


def test_a_module_that_cannot_be_imported_is_a_failure(module: DistributionModule) -> None:
    (Path(module.folder) / "virt.py").write_text("import no_such_module\n")
    with pytest.raises(CommandFailed):
        module.fix(None, Host())
