"""Waiting with a word now and then, and never for ever."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import TypeVar

from installer.verify.failing import CheckFailed

T = TypeVar("T")

#: Seconds between two words.
TELL_EVERY = 5.0
#: Seconds between two looks.
LOOK_EVERY = 2.0


class TimedOut(CheckFailed):
    """What was waited for did not come in time."""


def until(
    what: str,
    seconds: float,
    look: Callable[[], tuple[T | None, str]],
    tell: Callable[[str], None],
    *,
    clock: Callable[[], float] = time.monotonic,
    sleep: Callable[[float], None] = time.sleep,
) -> T:
    """Look again and again until there is a result, and return it.

    Args:
        what: what is waited for, such as ``instance to boot``.
        seconds: for how long at most.
        look: returns the result or None, and what was seen, in a few words.
        tell: told every few seconds what is waited for, for how long already, and what was seen last.
        clock: seconds of a monotonic clock.
        sleep: waits for some seconds.

    Raises:
        TimedOut: there was no result in time; it says what was seen last.
    """
    begun = clock()
    told: float | None = None
    while True:
        result, seen = look()
        if result is not None:
            return result
        now = clock()
        if now - begun >= seconds:
            raise TimedOut(f"waited {seconds:.0f} s for {what}{f'; last seen: {seen}' if seen else ''}")
        if told is None or now - told >= TELL_EVERY:
            tell(f"waiting for {what}: {now - begun:.0f} s{f' ({seen})' if seen else ''}")
            told = now
        sleep(LOOK_EVERY)
