"""`pystack status`: the last runs."""

from __future__ import annotations

from typing import Any

from installer.cli.options import verb

SHOWN = 20


@verb
def status(_context: Any, run: str = "") -> int:
    """List the last runs and how they ended, or show one of them

    A run that was killed shows as interrupted.

    Examples:
      pystack status
      pystack status last
    """
    from installer import journal
    from installer.cli.output import Screen
    from installer.report.runs import listed, told

    screen = Screen()
    if run:
        screen.lines(told(journal.find(run), screen.width))
    else:
        screen.lines(listed(journal.runs()[:SHOWN], str(journal.base())))
    return 0
