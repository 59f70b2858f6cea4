"""The live view of a terminal: finished roles scroll by, below them a table of what each host has in hand."""

from __future__ import annotations

import time
from collections.abc import Callable

from rich.console import Console, Group, RenderableType
from rich.live import Live
from rich.table import Table
from rich.text import Text

from installer.outcome import Event
from installer.report.lines import STYLES, describe
from installer.report.view import View
from installer.report.words import clock, count

#: What scrolls by: ends and bad news. What is in hand shows in the table.
SCROLLS = ("phase", "step", "verdict")
#: Lines of the terminal that are not for the table: its header, the status line, and some of what scrolled by.
KEPT_LINES = 8


class LiveView:
    """Draws on a terminal, four times a second, from the first event on until it is to rest.

    Args:
        console: the terminal.
        clock: seconds of a monotonic clock.
    """

    def __init__(self, console: Console, clock: Callable[[], float] = time.monotonic) -> None:
        self._console = console
        self._clock = clock
        self._view = View(clock())
        self._live: Live | None = None

    def take(self, event: Event) -> None:
        """Show an event."""
        self._view.take(event, self._clock())
        if not self._live:
            self._live = Live(
                console=self._console,
                get_renderable=self.render,
                refresh_per_second=4,
                transient=True,
                redirect_stderr=False,
            )
            self._live.start()
        scrolls = event["event"] in SCROLLS or event.get("what") == "unreachable" or event.get("stays")
        told = describe(event) if scrolls else None
        if told:
            text, outcome = told
            self._console.print(Text(text, style=STYLES.get(outcome, "")), no_wrap=True, overflow="ellipsis")

    def rest(self) -> None:
        """Take the view away until the next event."""
        if self._live:
            self._live.stop()
            self._live = None

    def render(self) -> RenderableType:
        """Return the view of this moment."""
        now = self._clock()
        room = max(1, self._console.size.height - KEPT_LINES)
        rows, more = self._view.rows(now, room)
        parts: list[RenderableType] = []
        if rows:
            table = Table(box=None, padding=(0, 2, 0, 0), pad_edge=False, expand=True, header_style="dim")
            table.add_column("host", no_wrap=True, max_width=26)
            table.add_column("role", no_wrap=True, max_width=15)
            table.add_column("doing", no_wrap=True, ratio=1)
            table.add_column("time", no_wrap=True, justify="right", min_width=5)
            for row in rows:
                table.add_row(Text(row.host), Text(row.role), Text(row.doing), clock(row.seconds))
            parts.append(table)
        if more:
            parts.append(Text(f"and {more} more at work", style="dim"))
        parts.append(self._status(now))
        return Group(*parts)

    def _status(self, now: float) -> Text:
        view = self._view
        parts = [clock(now - view.begun), view.phase or "starting"]
        if view.hosts:
            parts.append(count(len(view.hosts), "host"))
        if view.ended or view.steps:
            parts.append(f"{view.ended} of {view.steps} roles" if view.steps else f"{view.ended} roles")
        if view.changed:
            parts.append(f"{view.changed} changed")
        if view.failed:
            parts.append(f"{view.failed} failed")
        return Text(" · ".join(parts), style="bold", no_wrap=True, overflow="ellipsis")
