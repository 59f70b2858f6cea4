"""What speaks against a command line, gathered so that the operator reads all of it at once."""

from __future__ import annotations

from collections.abc import Iterable

from installer.errors import UsageError

#: What is wrong, and its remedy.
Problem = tuple[str, str]


def refuse(problems: Iterable[Problem]) -> None:
    """Raise UsageError with every problem and its remedy, a line each; do nothing where there is none."""
    told = list(problems)
    if told:
        raise UsageError("\n".join(what for what, _ in told), "\n".join(remedy for _, remedy in told))
