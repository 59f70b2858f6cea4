"""Which wheels a host gets is decided without it, for whatever Python and architecture it has."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import yaml
from packaging.markers import Marker

from installer.wheels.choosing import Candidate, choose
from installer.wheels.lock import Pin, parse
from installer.wheels.target import Target
from tests.package_index import lock

CASES = yaml.safe_load((Path(__file__).parent / "choosing.yaml").read_text())


@pytest.mark.parametrize("case", CASES, ids=lambda case: case["title"])
def test_which_file_a_host_gets(case: dict[str, Any]) -> None:
    pin = Pin("a", "1", None, frozenset() if case.get("foreign") else frozenset({"0" * 64}), case.get("built", False))
    files = [Candidate(name, f"https://index/{name}", "0" * 64) for name in case["files"]]
    chosen = choose(pin, files, Target(case["python"], case.get("machine", "x86_64")))
    assert (chosen and chosen.name) == case["chosen"]


@pytest.mark.parametrize(
    ("marker", "wanted"),
    [
        ("python_full_version < '3.12.3'", True),  # the patch level of a host is not known beforehand
        ("python_full_version >= '3.12.3'", True),
        ("python_full_version < '3.12'", False),
        ("python_version >= '3.13'", False),
        ("sys_platform == 'win32'", False),
        ("platform_machine == 'aarch64'", False),
        ("implementation_name == 'cpython' and sys_platform == 'linux'", True),
    ],
)
def test_for_whom_a_lock_names_a_distribution(marker: str, wanted: bool) -> None:
    assert Target("3.12", "x86_64").wants(Pin("a", "1", Marker(marker), frozenset())) is wanted


def test_a_lock_is_read_with_its_markers_hashes_and_what_is_built() -> None:
    first, second = parse(lock(("Some.Name==1.2 ; python_version < '3'", "a" * 64), ("b==2", "b" * 64), built=("b",)))
    assert (first.name, first.version, first.built, str(first.marker)) == (
        "some-name",
        "1.2",
        False,
        'python_version < "3"',
    )
    assert (second.text, second.built, second.hashes) == ("b==2", True, frozenset({"b" * 64}))
