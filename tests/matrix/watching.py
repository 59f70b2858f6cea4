"""Which lab hosts a test uses: those that it made or asked for by name, and those of its fixtures.

The lab itself is not asked: hosts of other runs may be on the same machine.
"""

from __future__ import annotations

from collections.abc import Generator, Sequence
from typing import Any

import pytest

from installer import lab
from installer.lab import LabHost
from tests.matrix.declared import FEATURES, unknown
from tests.matrix.results import Kind

#: How a lab host says what it was made from, as what stands for the platform.
MADE_FROM = {"distribution": Kind.REAL, "stand-in": Kind.STAND_IN}


def kind_of(host: LabHost) -> Kind:
    """Return what a lab host is for its platform."""
    return MADE_FROM[host.made_from]


def features_of(item: pytest.Item) -> tuple[str, ...]:
    """Return what a test shows, in the order of the document."""
    marked = {name for mark in item.iter_markers("shows") for name in mark.args}
    return tuple(name for name in FEATURES if name in marked)


class HostWatch:
    """A plugin of pytest that knows for each test which lab hosts it uses, and says it in reports.

    Everything that calls ``lab.up`` or ``lab.get`` is heard. What a fixture made belongs to every test that uses the
    fixture, until the fixture is taken down.

    Args:
        platform: of hosts that are made without one being named; empty: the lab's own choice.
    """

    def __init__(self, platform: str = "") -> None:
        self._platform = platform
        self._patch = pytest.MonkeyPatch()
        self._by_fixture: dict[Any, dict[str, LabHost]] = {}
        self._by_test: dict[str, LabHost] = {}
        self._in_making: list[Any] = []
        self._ever: dict[str, None] = {}

    def pytest_configure(self) -> None:
        """Listen to the lab."""
        make, find = lab.up, lab.get

        def up(names: Sequence[str], *args: Any, **options: Any) -> list[LabHost]:
            if self._platform and not args:
                options.setdefault("platform", self._platform)
            return self._heard(make(names, *args, **options))

        def get(name: str) -> LabHost:
            return self._heard([find(name)])[0]

        self._patch.setattr(lab, "up", up)
        self._patch.setattr(lab, "get", get)

    def pytest_unconfigure(self) -> None:
        """Listen no more."""
        self._patch.undo()

    def pytest_collection_modifyitems(self, items: list[pytest.Item]) -> None:
        """Refuse features that nobody has declared."""
        named = {name: item.nodeid for item in items for mark in item.iter_markers("shows") for name in mark.args}
        wrong = [f"{named[name]}: feature {line}" for name in named for line in unknown([name], FEATURES)]
        if wrong:
            wrong.append("tests/matrix/declared.yaml declares them.")
            raise pytest.UsageError("\n".join(wrong))

    @pytest.hookimpl(wrapper=True)
    def pytest_fixture_setup(self, fixturedef: Any) -> Generator[None, Any, Any]:
        """What is made from here on is the fixture's."""
        self._in_making.append(fixturedef)
        try:
            return (yield)
        finally:
            self._in_making.pop()

    def pytest_fixture_post_finalizer(self, fixturedef: Any) -> None:
        """What a fixture had is gone with it."""
        self._by_fixture.pop(fixturedef, None)

    @pytest.hookimpl(tryfirst=True)
    def pytest_runtest_logstart(self) -> None:
        """A test begins, and has made nothing yet."""
        self._by_test = {}

    @pytest.hookimpl(wrapper=True)
    def pytest_runtest_makereport(self, item: pytest.Item, call: pytest.CallInfo[None]) -> Generator[None, Any, Any]:
        """Name the hosts in the report of each test, also in one that is written as XML."""
        used = self.hosts(item)
        words = ("lab hosts", "; ".join(map(_told, used)))
        if used and words not in item.user_properties:
            item.user_properties.append(words)
        report: Any = yield
        if report.failed and used:
            report.sections.append(("lab hosts", words[1]))
        return report

    def pytest_terminal_summary(self, terminalreporter: Any) -> None:
        """Name all hosts that the lab made."""
        if self._ever:
            terminalreporter.section("lab hosts")
            for line in self._ever:
                terminalreporter.write_line(line)

    def hosts(self, item: pytest.Item) -> list[LabHost]:
        """Return the lab hosts that a test has used so far, by name."""
        fixtures: Sequence[str] = getattr(item, "fixturenames", ())
        found = dict(self._by_test)
        for fixture, made in self._by_fixture.items():
            if fixture.argname in fixtures:
                found |= made
        return [found[name] for name in sorted(found)]

    def _heard(self, hosts: list[LabHost]) -> list[LabHost]:
        place = self._by_fixture.setdefault(self._in_making[-1], {}) if self._in_making else self._by_test
        for host in hosts:
            place[host.name] = host
            self._ever[_told(host)] = None
        return hosts


def _told(host: LabHost) -> str:
    made = {Kind.REAL: "made of the distribution's own packages", Kind.STAND_IN: "a stand-in made from another one"}
    kernel = "own kernel" if host.wish.kernel == "own" else "this machine's kernel"
    return f"{host.name}: {host.platform}, {made[kind_of(host)]}, {kernel}"
