"""Keeping what tests showed: ``--record`` adds a result for each test and each platform that it used."""

from __future__ import annotations

import os
import subprocess
from collections.abc import Callable, Generator, Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Protocol

import pytest

from installer.lab import LabHost
from installer.paths import ROOT
from tests.matrix import results
from tests.matrix.declared import CLOUDS, unknown
from tests.matrix.results import Kind, Result
from tests.matrix.watching import HostWatch, features_of, kind_of

#: The recorder's name among pytest's plugins.
PLUGIN = "results of tests"
#: What recording itself changes in a checkout.
_OWN = (":!tests/matrix/results.jsonl", ":!docs/test-matrix.md")


class Measured(Protocol):
    """Keeps figures of an installation with the result of the test that is running."""

    def __call__(self, platform: str, cloud: str, **figures: float) -> None:
        """Keep figures.

        Args:
            platform: such as ``el-9``; one of the test's hosts has it.
            cloud: what was installed, one of `declared.CLOUDS`.
            figures: ``fresh_seconds``, ``rerun_seconds``, ``resources``.

        Raises:
            ValueError: when cloud or figure is not declared, or no host of the test has that platform.
        """


@dataclass(frozen=True)
class _Figures:
    platform: str
    cloud: str
    figures: dict[str, float]


class Recorder:
    """A plugin of pytest that knows how each test ended and, where that is wanted, keeps it.

    Args:
        watch: knows the hosts.
        file: where results are added; None: they are not kept.
        added: called after each test of which something was kept; raises ValueError when that does not go.
    """

    def __init__(self, watch: HostWatch, file: Path | None, added: Callable[[], None]) -> None:
        self._watch = watch
        self._file = file
        self._added = added
        self._trouble = ""
        self._commit = commit() if file else ""
        self._session = f"{datetime.now(UTC):%Y%m%d%H%M%S}-{os.getpid()}"
        self._reports: list[pytest.TestReport] = []
        self._hosts: dict[str, LabHost] = {}
        self._figures: list[_Figures] = []
        self._item: pytest.Item | None = None

    def measured(self, platform: str, cloud: str, **figures: float) -> None:
        """See `Measured`."""
        wrong = unknown([cloud], CLOUDS) + unknown(figures, results.FIGURES)
        platforms = {host.platform for host in self._watch.hosts(self._item)} if self._item else set()
        if platform not in platforms:
            wrong.append(f"no lab host of this test has platform '{platform}', but {', '.join(sorted(platforms))}")
        if wrong:
            raise ValueError("; ".join(wrong))
        load = round(os.getloadavg()[0], 1)
        told = {name: round(value, 1) for name, value in figures.items()}
        self._figures.append(_Figures(platform, cloud, {**told, "load": load}))

    @pytest.hookimpl(wrapper=True)
    def pytest_runtest_makereport(self, item: pytest.Item, call: pytest.CallInfo[None]) -> Generator[None, Any, Any]:
        """Remember the report of each part of a test, and the hosts before they are gone."""
        self._hosts |= {host.name: host for host in self._watch.hosts(item)}
        report: Any = yield
        self._reports.append(report)
        return report

    @pytest.hookimpl(wrapper=True)
    def pytest_runtest_protocol(self, item: pytest.Item) -> Generator[None, Any, Any]:
        """Keep what came of a test."""
        self._item, self._reports, self._hosts, self._figures = item, [], {}, []
        try:
            return (yield)
        finally:
            if self._file and (found := self._came_of(item)):
                results.append(found, self._file)
                # A later test of the same run wants to see the document as the results give it.
                try:
                    self._added()
                except ValueError as problem:
                    self._trouble = str(problem)

    def pytest_terminal_summary(self, terminalreporter: Any) -> None:
        """Say where the results are kept, and what of them could not be read."""
        if self._file:
            terminalreporter.section("results")
            terminalreporter.write_line(f"kept in {self._file}")
        if self._trouble:
            terminalreporter.write_line(f"the document was not written: {self._trouble}", red=True)

    def _came_of(self, item: pytest.Item) -> list[Result]:
        """Return the result for each platform; none of a test that shows nothing, was skipped, or was broken off."""
        shows, hosts = features_of(item), list(self._hosts.values())
        ended = {report.when for report in self._reports} >= {"setup", "teardown"}
        if not (shows and ended) or any(report.skipped for report in self._reports):
            return []
        if item.get_closest_marker("lab") and not hosts:
            # The lab has made no host: nothing was seen of any platform.
            return []
        whole = Result(
            date=datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%SZ"),
            commit=self._commit,
            test=item.nodeid,
            shows=shows,
            passed=all(report.passed for report in self._reports),
            seconds=sum(report.duration for report in self._reports if report.when != "teardown"),
            session=self._session,
        )
        return spread(whole, hosts, self._figures)


def spread(whole: Result, hosts: Sequence[LabHost], measured: Sequence[_Figures] = ()) -> list[Result]:
    """Return a result for each platform and kind of the hosts that a test used.

    Args:
        whole: without a platform.
        hosts: that the test used; none: it needs none.
        measured: figures of any platform.
    """
    if not hosts:
        return [whole]
    found: dict[tuple[str, Kind], set[str]] = {}
    for host in hosts:
        found.setdefault((host.platform, kind_of(host)), set()).add(host.wish.kernel)
    return [
        replace(
            whole,
            platform=platform,
            kind=kind,
            kernel="both" if len(kernels) > 1 else next(iter(kernels)),
            measured=_joined(one for one in measured if one.platform == platform),
        )
        for (platform, kind), kernels in found.items()
    ]


def _joined(measured: Iterable[_Figures]) -> dict[str, dict[str, float]]:
    joined: dict[str, dict[str, float]] = {}
    for one in measured:
        joined[one.cloud] = joined.get(one.cloud, {}) | one.figures
    return joined


def commit(root: Path = ROOT) -> str:
    """Return the checkout's commit, with ``+changes`` where it has changes other than results."""

    def git(*words: str) -> str:
        return subprocess.run(["git", "-C", str(root), *words], capture_output=True, text=True, check=False).stdout

    changed = git("status", "--porcelain", "--", ".", *_OWN).strip()
    return (git("rev-parse", "--short=7", "HEAD").strip() or "unknown") + ("+changes" if changed else "")


def install(
    config: pytest.Config, file: Path | None, added: Callable[[], None] = lambda: None, platform: str = ""
) -> None:
    """Let pytest know the hosts of tests, and keep results where that is wanted; see `Recorder` and `HostWatch`."""
    watch = HostWatch(platform)
    recorder = Recorder(watch, file, added)
    config.pluginmanager.register(watch, "lab hosts of tests")
    config.pluginmanager.register(recorder, PLUGIN)
