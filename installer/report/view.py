"""What the live view shows, as data: who does what since when. Pure; the time is handed in."""

from __future__ import annotations

from dataclasses import dataclass, field

from installer.outcome import Event
from installer.report.lines import PHASES
from installer.report.words import last_written


@dataclass
class Work:
    """A role in hand on a host: since when (seconds of a monotonic clock), and what is being done."""

    since: float
    doing: str = ""


@dataclass(frozen=True)
class Row:
    """A line of the view: host, role, what is being done, for how many seconds."""

    host: str
    role: str
    doing: str
    seconds: float


@dataclass
class View:
    """The state of a run, fed by events.

    Args:
        begun: when the run began, by the same clock as all other times.
    """

    begun: float
    phase: str = ""
    phase_since: float = 0.0
    hosts: dict[str, str] = field(default_factory=dict)
    work: dict[tuple[str, str], Work] = field(default_factory=dict)
    ended: int = 0
    steps: int = 0
    changed: int = 0
    failed: int = 0

    def take(self, event: Event, now: float) -> None:
        """Take in an event."""
        kind = event["event"]
        if kind == "phase":
            name = str(event["name"])
            self.phase, self.phase_since = PHASES.get(name, name), now
            self.steps = event.get("steps", self.steps)
        elif kind == "host":
            self.hosts[event["host"]] = event["what"]
        elif kind == "step":
            self._take_step(event, now)
        elif kind == "check":
            # A verification's: no role, and on no host.
            key = ("", str(event["check"]))
            self.work.pop(key, None)
            if event["what"] == "started":
                self.work[key] = Work(now)
        elif kind in ("resource", "progress"):
            self._take_doing(event, now)

    def _take_step(self, event: Event, now: float) -> None:
        key = (event["host"], event["step"])
        self.hosts.setdefault(event["host"], "connected")
        if event["what"] == "started":
            self.work[key] = Work(now)
            return
        self.work.pop(key, None)
        self.ended += 1
        self.failed += event["what"] == "failed"

    def _take_doing(self, event: Event, now: float) -> None:
        if event["event"] == "resource" and event["what"] == "changed":
            self.changed += 1
        if event.get("done"):
            # What belongs to no host has no role whose end would take it away.
            self.work.pop((event["host"], event["step"]), None)
            return
        # A probe or the host lock tells its progress too, without being a role.
        work = self.work.setdefault((event["host"], event["step"]), Work(now))
        work.doing = last_written(event["text"] if event["event"] == "progress" else event["resource"])

    def rows(self, now: float, most: int) -> tuple[list[Row], int]:
        """Return the lines to show, the longest at work first, and how many busy ones there was no room for.

        Args:
            now: by the clock that events came with.
            most: lines there is room for.
        """
        busy = sorted(self.work.items(), key=lambda item: item[1].since)
        rows = [Row(host, role, work.doing, now - work.since) for (host, role), work in busy]
        if not rows:
            waiting = [host for host, what in self.hosts.items() if what == "connecting"]
            rows = [Row(host, "", "connecting", now - self.phase_since) for host in waiting]
        return rows[:most], max(0, len(rows) - most)
