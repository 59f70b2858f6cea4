"""Which tests that results name are in the tree."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.matrix.present import exists

CONFTEST = """
import pytest
from somewhere import BACKENDS

@pytest.fixture(params=["nfs", pytest.param("lvm", marks=pytest.mark.long)])
def volumes(request): pass

@pytest.fixture
def cloud(volumes): pass

@pytest.fixture(params=BACKENDS)
def backend(request): pass
"""
MODULE = """
import pytest
STATES = ["on", "off"]
everywhere = pytest.mark.parametrize("host", [pytest.param(("a", 1), id="one"), "two"], indirect=True)

def test_it(): pass

async def test_later(tmp_path): pass

class TestOf:
    def test_inside(self): pass

@everywhere
def test_of_hosts(host): pass

@pytest.mark.parametrize("state", STATES)
@pytest.mark.parametrize("number", [1, 2])
def test_two(state, number): pass

@pytest.mark.parametrize("wait", [1.5, 2.5], ids=["short", "long"])
def test_named(wait): pass

@pytest.mark.parametrize(("a", "b"), [(1, 2), (3, 4)])
def test_several(a, b): pass

@pytest.mark.parametrize("name", [name for name in STATES])
def test_made(name): pass

@pytest.mark.parametrize("word", ["a\\\\b", "c"])
def test_escaped(word): pass

@pytest.mark.parametrize("volumes", ["ceph"])
def test_of_another_backend(cloud, volumes): pass

def test_of_a_cloud(cloud): pass

def test_of_a_backend(backend): pass

def test_of_each(each_kind): pass
"""


@pytest.mark.parametrize(
    ("test", "there"),
    [
        ("pystack: identity", True),
        ("test_x.py", True),
        ("test_y.py::test_it", False),
        ("test_x.py::test_it", True),
        ("test_x.py::test_it[a::b]", False),
        ("test_x.py::test_i", False),
        ("test_x.py::test_later", True),
        ("test_x.py::TestOf::test_inside", True),
        ("test_x.py::TestOf::test_it", False),
        ("test_x.py::test_inside", False),
        ("test_x.py::test_of_hosts[one]", True),
        ("test_x.py::test_of_hosts[a]", False),
        ("test_x.py::test_of_hosts", False),
        ("test_x.py::test_two[1-on]", True),
        ("test_x.py::test_two[on-1]", True),
        ("test_x.py::test_two[1-gone]", False),
        ("test_x.py::test_two[1]", False),
        ("test_x.py::test_named[short]", True),
        ("test_x.py::test_named[1.5]", False),
        ("test_x.py::test_several[1-2]", True),
        ("test_x.py::test_several", False),
        ("test_x.py::test_made[whatever]", True),
        ("test_x.py::test_escaped[a\\\\b]", True),
        ("test_x.py::test_of_another_backend[ceph]", True),
        ("test_x.py::test_of_another_backend[nfs]", False),
        ("test_x.py::test_of_a_cloud[lvm]", True),
        ("test_x.py::test_of_a_cloud[ceph]", False),
        ("test_x.py::test_of_a_cloud", False),
        ("test_x.py::test_of_a_backend[whatever]", True),
        ("test_x.py::test_of_each[el-9]", True),
        ("test_x.py::test_of_each", False),
    ],
)
def test_a_test_is_there_with_its_file_its_function_and_its_parameters(test: str, there: bool, tmp_path: Path) -> None:
    (tmp_path / "tests/lab").mkdir(parents=True)
    (tmp_path / "tests/conftest.py").write_text(CONFTEST)
    (tmp_path / "tests/lab/test_x.py").write_text(MODULE)
    assert exists(test.replace("test_", "tests/lab/test_", 1), tmp_path) is there
