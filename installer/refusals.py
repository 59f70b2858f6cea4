"""Why a command line is refused, gathered so that the operator reads every reason at once."""

from __future__ import annotations

from collections.abc import Iterable

from installer.errors import UsageError

#: What is wrong, and its remedy.
Refusal = tuple[str, str]


def refuse(refusals: Iterable[Refusal]) -> None:
    """Raise UsageError with every refusal and its remedy, a line each; do nothing where there is none."""
    told = list(refusals)
    if told:
        raise UsageError("\n".join(what for what, _ in told), "\n".join(remedy for _, remedy in told))
