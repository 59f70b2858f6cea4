"""The protocol of reports, and the two that show nothing themselves."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import Protocol

from installer.outcome import Event, Listener


class Report(Protocol):
    """Shows the events of one run while it goes on."""

    def take(self, event: Event) -> None:
        """Show an event. Called from several threads, one at a time."""

    def rest(self) -> None:
        """Let go of the terminal until the next event."""


class Quiet:
    """Shows nothing."""

    def take(self, event: Event) -> None:
        """Show nothing."""

    def rest(self) -> None:
        """Do nothing."""


class Composite:
    """Hands every event to several listeners, one event at a time.

    Args:
        report: what the operator sees.
        others: further listeners, such as the journal's.
        mask: removes the secrets from an event before anybody is told.
    """

    def __init__(
        self, report: Report, others: Sequence[Listener] = (), mask: Callable[[Event], Event] | None = None
    ) -> None:
        self._report = report
        self._others = others
        self._mask = mask
        self._lock = threading.RLock()
        self._closed = False

    def take(self, event: Event) -> None:
        """Hand an event on, from any thread."""
        with self._lock:
            shown = self._mask(event) if self._mask else event
            for listener in self._others:
                listener(shown)
            if not self._closed:
                self._report.take(shown)

    @contextmanager
    def resting(self) -> Iterator[None]:
        """Keep the terminal free for a question; whoever has an event to tell waits."""
        with self._lock:
            self._report.rest()
            yield

    def close(self) -> None:
        """Let go of the terminal for good; listeners are still told."""
        with self._lock:
            self._closed = True
            self._report.rest()
