"""The terminal: the only place from which pystack prints. Colours only on a terminal, and not with NO_COLOR."""

from __future__ import annotations

import sys
from collections.abc import Iterable

from rich.console import Console
from rich.text import Text

from installer.errors import PystackError
from installer.report import Quiet, Report
from installer.report.words import clean

Line = tuple[str, str]


class _Console(Console):
    def on_broken_pipe(self) -> None:
        # rich would end the process here and now, with the exit code of a fault.
        raise BrokenPipeError


class Screen:
    """Lines on standard output or standard error.

    Args:
        error: standard error in place of standard output.
        silent: print nothing.
    """

    def __init__(self, error: bool = False, silent: bool = False) -> None:
        self.console = _Console(stderr=error, highlight=False, markup=False, emoji=False, quiet=silent)

    @property
    def width(self) -> int:
        """Columns; 100 where there is no terminal."""
        return self.console.width if self.console.is_terminal else 100

    def line(self, text: str = "", style: str = "") -> None:
        """Print one line as it is, however long."""
        self.console.print(Text(text, style=style), soft_wrap=True)

    def lines(self, lines: Iterable[Line]) -> None:
        """Print lines with their styles."""
        for text, style in lines:
            self.line(text, style)


def choose_report(screen: Screen, quiet: bool, as_json: bool) -> Report:
    """Return what shows a run: JSON or nothing if asked for, a live view on a terminal, else plain lines."""
    from installer.report.json_lines import JsonLines
    from installer.report.lines import Plain
    from installer.report.live import LiveView

    if as_json:
        return JsonLines(sys.stdout)
    if quiet:
        return Quiet()
    console = screen.console
    return LiveView(console) if console.is_terminal and not console.is_dumb_terminal else Plain(screen)


def print_error(problem: PystackError) -> None:
    """Print what is wrong and what to do next."""
    screen = Screen(error=True)
    first, *others = problem.message.splitlines() or [""]
    screen.line(f"error: {clean(first)}", "bold red")
    for line in others:
        screen.line(clean(line))
    for index, line in enumerate(problem.remedy.splitlines()):
        screen.line(f"{'remedy: ' if not index else '        '}{clean(line)}")
