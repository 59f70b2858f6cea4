"""One line of text per event worth telling: the plain report, and what scrolls above the live view."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from typing import Protocol

from installer.outcome import Event
from installer.report.words import clean, count, last_written, seconds

PHASES = {
    "connect": "connecting",
    "preflight": "preflight: looking at all hosts, changing nothing",
    "survey": "asking the hosts what their packages are",
    "bundle": "fetching what the hosts need",
    "plan": "comparing the hosts with the plan",
    "install": "installing",
    "verify": "verifying the cloud",
}
MARKS = {"converged": "✓", "failed": "✗", "skipped": "-", "success": "✓", "warn": "!", "fail": "✗"}
STYLES = {
    "converged": "green", "success": "green", "failed": "red", "fail": "red", "unreachable": "red",
    "warn": "yellow", "skipped": "dim", "phase": "bold",
}  # fmt: skip


class Screen(Protocol):
    """Where lines go."""

    def line(self, text: str, style: str = "") -> None:
        """Show one line."""


def describe(event: Event) -> tuple[str, str] | None:
    """Return the line that an event is worth, and its outcome as the key of a style; None if it is worth none."""
    teller = _TELLERS.get(event["event"])
    told = teller(event) if teller else None
    return (clean(told[0]), told[1]) if told else None


def _phase(event: Event) -> tuple[str, str]:
    words = PHASES.get(event["name"], event["name"])
    changes = f": {count(event['changes'], 'change')}" if "changes" in event else ""
    return f"{words}{changes}", "phase"


def _host(event: Event) -> tuple[str, str] | None:
    return None if event["what"] == "connecting" else (f"{event['host']}: {event['what']}", event["what"])


def _step(event: Event) -> tuple[str, str] | None:
    what, changed = event["what"], event.get("changed", 0)
    if what in ("started", "skipped") or (what == "converged" and not changed):
        return None
    line = f"{MARKS.get(what, ' ')} {event['host']}: {event['step']}"
    result = f"{changed} changed, {event.get('unchanged', 0)} unchanged"
    if what == "failed":
        failure = event.get("failure") or {}
        result = f"failed: {failure.get('resource') or failure.get('message', '')}"
    return f"{line}: {result} ({seconds(event.get('seconds', 0.0))})", what


def _resource(event: Event) -> tuple[str, str] | None:
    if event["what"] != "changed":
        return None
    return f"  {event['host']}: {event['step']}: {event['resource']}", "changed"


def _progress(event: Event) -> tuple[str, str]:
    place = f"{event['host']}: " if event["host"] else ""
    return f"  {place}{event['step']}: {last_written(event['text'])}", "progress"


def _verdict(event: Event) -> tuple[str, str]:
    place = f"{event['host']}: " if event.get("host") else ""
    return f"{MARKS[event['outcome']]} {place}{event['title']}: {event['found']}", event["outcome"]


_TELLERS: dict[str, Callable[[Event], tuple[str, str] | None]] = {
    "phase": _phase,
    "host": _host,
    "step": _step,
    "resource": _resource,
    "progress": _progress,
    "verdict": _verdict,
}


class Plain:
    """Lines with the time of day, for logs and pipes.

    Args:
        screen: where they go.
        now: the time of day.
    """

    def __init__(self, screen: Screen, now: Callable[[], datetime] = datetime.now) -> None:
        self._screen = screen
        self._now = now

    def take(self, event: Event) -> None:
        """Show an event, if it is worth a line."""
        told = describe(event)
        if told:
            text, outcome = told
            self._screen.line(f"{self._now():%H:%M:%S} {text}", STYLES.get(outcome, ""))

    def rest(self) -> None:
        """Do nothing."""
