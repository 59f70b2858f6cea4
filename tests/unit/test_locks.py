"""The locks of the OpenStack releases: complete, hashed, and free of any index."""

import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

from roles.openstack.locks.remake import CORE, HERE, Inputs
from roles.openstack.role import APART

INPUTS = Inputs.load()
RELEASES = list(INPUTS.releases)
EXTRA_LOCKS = [name for name in INPUTS.locks if name != CORE]
LOCKS = [
    f"{release}{suffix}.txt"
    for release in RELEASES
    for suffix in ("", "-build", *(f"-{name}" for name in [*EXTRA_LOCKS, *INPUTS.apart]))
] + [f"{module}{suffix}.txt" for module in INPUTS.modules for suffix in ("", "-build")]
PYTHONS = ("3.11.2", "3.11.7", "3.12.1", "3.13.5")

# A requirement and its hashes, as uv writes them: one per line, each but the last ending in a backslash.
ENTRY = re.compile(r"^(?P<requirement>[A-Za-z0-9][^\n\\]*?)(?P<hashes>(?: \\\n    --hash=sha256:[0-9a-f]{64})+)$", re.M)


def entries(lock: str) -> Iterator[Requirement]:
    for match in ENTRY.finditer((HERE / lock).read_text()):
        yield Requirement(match["requirement"])


def versions(lock: str, python: str = PYTHONS[0]) -> dict[str, str]:
    """Canonical name to version of what a Linux host with this Python gets."""
    environment = {
        "python_full_version": python,
        "python_version": ".".join(python.split(".")[:2]),
        "sys_platform": "linux",
        "platform_system": "Linux",
        "os_name": "posix",
        "implementation_name": "cpython",
        "platform_machine": "x86_64",
    }
    wanted = [entry for entry in entries(lock) if entry.marker is None or entry.marker.evaluate(environment)]
    found: dict[str, str] = {canonicalize_name(entry.name): str(entry.specifier).removeprefix("==") for entry in wanted}
    assert len(found) == len(wanted), f"{lock} names something twice for Python {python}"
    return found


@pytest.mark.parametrize("lock", LOCKS)
def test_a_lock_holds_nothing_but_hashed_versions_and_what_may_be_built(lock: str) -> None:
    text = (HERE / lock).read_text()
    assert ENTRY.search(text)
    rest = ENTRY.sub("", text).split("\n")
    allowed = re.compile(r"(#.*|--only-binary=:all:|--no-binary=[a-z0-9-]+)?")
    assert [line for line in rest if not allowed.fullmatch(line)] == []
    assert all(re.fullmatch(r"==[^,*]+", str(entry.specifier)) for entry in entries(lock))


@pytest.mark.parametrize(
    "path",
    [p for p in HERE.rglob("*") if p.is_file() and "__pycache__" not in p.parts],
    ids=lambda path: path.relative_to(HERE).as_posix(),
)
def test_no_file_names_an_index_or_a_host(path: Path) -> None:
    text = path.read_text()
    assert re.findall(r"\S*://\S*|-index-url=\S*|--find-links\S*", text) == []
    assert re.findall(r"\b[\w-]+(?:\.[\w-]+)*\.(?:org|com|net|io|dev)\b", text) == []


@pytest.mark.parametrize("python", PYTHONS)
@pytest.mark.parametrize("lock", [*INPUTS.locks, *INPUTS.apart])
@pytest.mark.parametrize("release", RELEASES)
def test_every_input_is_in_the_lock_for_every_python(release: str, lock: str, python: str) -> None:
    locked = versions(f"{release}.txt" if lock == CORE else f"{release}-{lock}.txt", python)
    for line in INPUTS.requirements(release, lock):
        wanted = Requirement(line)
        assert canonicalize_name(wanted.name) in locked
        assert wanted.specifier.contains(locked[canonicalize_name(wanted.name)], prereleases=True)


@pytest.mark.parametrize("release", RELEASES)
def test_the_pythons_get_the_same_but_for_two_backports(release: str) -> None:
    by_python = {python: versions(f"{release}.txt", python) for python in PYTHONS}
    common = set.intersection(*(set(found.items()) for found in by_python.values()))
    assert {python: sorted(dict(set(found.items()) - common)) for python, found in by_python.items()} == {
        "3.11.2": ["async-timeout"],
        "3.11.7": [],
        "3.12.1": [],
        "3.13.5": ["legacy-cgi"],
    }


@pytest.mark.parametrize("release", RELEASES)
def test_no_version_strays_from_the_constraints(release: str) -> None:
    lines = (HERE / "constraints" / f"{release}.txt").read_text().splitlines()
    pinned = [Requirement(line) for line in lines if not line.startswith("#")]
    constraints: dict[str, str] = {
        canonicalize_name(pin.name): str(pin.specifier).removeprefix("===") for pin in pinned if pin.marker is None
    }
    locked = versions(f"{release}.txt")
    held = locked.keys() & constraints.keys()
    assert len(held) > 100
    assert {name: locked[name] for name in held} == {name: constraints[name] for name in held}


@pytest.mark.parametrize("lock", EXTRA_LOCKS)
@pytest.mark.parametrize("release", RELEASES)
def test_what_another_lock_holds_of_core_has_the_version_of_core(release: str, lock: str) -> None:
    core, other = versions(f"{release}.txt"), versions(f"{release}-{lock}.txt")
    common = core.keys() & other.keys()
    assert len(common) > 100
    assert {name: other[name] for name in common} == {name: core[name] for name in common}


@pytest.mark.parametrize("module", INPUTS.modules)
def test_a_module_is_built_alone_and_only_by_what_is_in_its_build_lock(module: str) -> None:
    lines = (HERE / f"{module}.txt").read_text().splitlines()
    assert [line for line in lines if line.startswith("--")] == ["--only-binary=:all:", f"--no-binary={module}"]
    facts = INPUTS.modules[module]
    for python in PYTHONS:
        assert versions(f"{module}.txt", python) == {module: facts["version"]}
        assert set(facts["build"]) == versions(f"{module}-build.txt", python).keys()


def test_each_service_apart_has_a_lock() -> None:
    assert set(APART) == set(EXTRA_LOCKS)


@pytest.mark.parametrize("release", RELEASES)
def test_only_what_has_no_wheel_is_built_and_only_by_what_is_in_the_build_lock(release: str) -> None:
    built = INPUTS.releases[release]["built"]
    for lock in ("", *(f"-{name}" for name in [*EXTRA_LOCKS, *INPUTS.apart])):
        lines = (HERE / f"{release}{lock}.txt").read_text().splitlines()
        assert [line for line in lines if line.startswith("--")] == INPUTS.building(release)
    assert set(built) <= versions(f"{release}.txt").keys()
    assert set(INPUTS.build) <= versions(f"{release}-build.txt").keys()
