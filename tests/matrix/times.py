"""How long installations took, from the results (pure): the times of a row are of one and the same run."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import NamedTuple

from tests.matrix.results import Kind, Result

HEAD = ("platform", "hosts", "cloud", "resources", "fresh", "again", "load", "run")
NOT_MEASURED = "not measured"
_TIMES = ("fresh_seconds", "rerun_seconds")


class _Place(NamedTuple):
    platform: str
    kind: Kind | None
    kernel: str
    cloud: str


@dataclass
class _Run:
    """An installation, and what followed on the same hosts.

    Args:
        name: tells it from others of the same place.
        newest: the result that was kept last.
        figures: by name.
        loads: the machine's when a time was taken, by the time's name.
    """

    name: tuple[str, ...]
    newest: Result
    figures: dict[str, float] = field(default_factory=dict)
    loads: dict[str, float] = field(default_factory=dict)

    def take(self, figures: Mapping[str, float], result: Result) -> None:
        """Take figures in."""
        self.newest = result
        self.figures |= figures
        if "load" in figures:
            self.loads |= {name: figures["load"] for name in _TIMES if name in figures}

    @property
    def worth(self) -> tuple[int, bool]:
        """How much it tells: of two times more than of one, of a fresh installation more than of another one."""
        return sum(name in self.figures for name in _TIMES), _TIMES[0] in self.figures

    def row(self) -> list[str]:
        """Return its cells from the resources on."""
        resources = f"{self.figures['resources']:.0f}" if "resources" in self.figures else ""
        # A test that took both times has kept the load once.
        loads = dict.fromkeys(f"{self.loads[name]:.1f}" for name in _TIMES if name in self.loads)
        told = "written down " if self.newest.written_down else ""
        return [
            resources,
            *(_seconds(self.figures.get(name)) for name in _TIMES),
            ", then ".join(loads) or "not recorded",
            f"{told}{self.newest.date[:10]} {self.newest.commit}",
        ]


def times(results: Iterable[Result], platforms: Sequence[str], clouds: Mapping[str, str]) -> list[list[str]]:
    """Return rows for each platform, kind of host and cloud, of the newest run that tells most and passed.

    What was written down has a row of its own, where it tells more than what was recorded.

    Args:
        results: the oldest first.
        platforms: in the order of the rows; those of which nothing was measured have a row, too.
        clouds: what may have been installed, to title, in the order of the rows.
    """
    found = _runs(results)

    def order(place: _Place) -> tuple[int, int, int, str]:
        kinds = [*Kind, None]
        return platforms.index(place.platform), [*clouds].index(place.cloud), kinds.index(place.kind), place.kernel

    rows = [[one, "", "", "", NOT_MEASURED, NOT_MEASURED, "", ""] for one in platforms]
    rows = [row for row in rows if row[0] not in {place.platform for place in found}]
    for place in sorted(found, key=order):
        kernel = "own kernel" if place.kernel in ("own", "both") else ""
        hosts = ", ".join(filter(None, [place.kind.title if place.kind else "", kernel]))
        rows += [[place.platform, hosts, clouds[place.cloud], *run.row()] for run in _best(found[place])]
    return sorted(rows, key=lambda row: platforms.index(row[0]))


def _seconds(value: float | None) -> str:
    return NOT_MEASURED if value is None else f"{value:.{0 if value >= 10 else 1}f} s"


def _runs(results: Iterable[Result]) -> dict[_Place, list[_Run]]:
    found: dict[_Place, list[_Run]] = {}
    for one in results:
        for cloud, figures in one.measured.items() if one.passed else ():
            listed = found.setdefault(_Place(one.platform, one.kind, one.kernel, cloud), [])
            name = _name(one)
            run = None
            if _TIMES[0] not in figures:
                run = next((earlier for earlier in reversed(listed) if earlier.name == name), None)
            if run is None:
                run = _Run(name, one)
                listed.append(run)
            run.take(figures, one)
    return found


def _name(one: Result) -> tuple[str, ...]:
    """Return what tells a run from others: the session of tests; where none is kept the module of tests and commit."""
    return (one.session,) if one.session else (one.test.partition(":")[0], one.commit)


def _best(runs: Sequence[_Run]) -> list[_Run]:
    recorded = [run for run in runs if not run.newest.written_down]
    by_hand = [run for run in runs if run.newest.written_down]
    best = [max(reversed(some), key=lambda run: run.worth) for some in (recorded, by_hand) if some]
    return best if len(best) == 2 and best[1].worth > best[0].worth else best[:1]
