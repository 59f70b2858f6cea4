"""What the tests of wheels share: an index of their own, and nothing of this machine's configuration."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from installer.own_index import Sources
from installer.wheels.environment import Environment
from installer.wheels.index import Index
from installer.wheels.store import Store
from installer.wheels.target import Target
from tests.package_index import PackageIndex


@pytest.fixture(autouse=True)
def _own_home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in [name for name in os.environ if name.startswith(("UV_", "PIP_", "XDG_")) or "proxy" in name.lower()]:
        monkeypatch.delenv(name)
    monkeypatch.setenv("HOME", str(tmp_path))


@pytest.fixture
def index() -> Iterator[PackageIndex]:
    with PackageIndex() as running:
        yield running


@pytest.fixture
def asked(index: PackageIndex) -> Iterator[Index]:
    made = Index(Sources(index.url))
    yield made
    made.close()


@pytest.fixture
def store(tmp_path: Path) -> Store:
    return Store(tmp_path / "store")


class Locks:
    """Makes environments of locks that a test writes."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._made = 0

    def __call__(self, text: str, python: str = "3.12", machine: str = "x86_64", build: str = "") -> Environment:
        self._made += 1
        files = [self._folder / f"{name}-{self._made}.txt" for name in ("lock", "build")]
        for file, content in zip(files, (text, build), strict=True):
            file.write_text(content)
        return Environment(f"environment {self._made}", files[0], files[1], Target(python, machine))


@pytest.fixture
def locks(tmp_path: Path) -> Locks:
    return Locks(tmp_path)
