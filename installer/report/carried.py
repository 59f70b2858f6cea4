"""What an older answer file says that the new one does not, as lines of text. Pure."""

from __future__ import annotations

import textwrap
from collections.abc import Sequence

from installer.answers import Problem, Severity

Line = tuple[str, str]


def losses(lost: Sequence[Problem], width: int = 80) -> list[Line]:
    """Return what was not carried over: warnings each on its own line of the file, the rest by reason.

    Args:
        lost: as ``answers.carry`` returns them.
        width: columns.
    """
    lines: list[Line] = []
    told_by_reason: dict[str, list[str]] = {}
    for problem in lost:
        if problem.severity is Severity.NOTICE and problem.key:
            reason = problem.message.partition(" is not carried over: ")[2] or problem.message
            told_by_reason.setdefault(reason, []).append(f"{problem.key} ({problem.line})")
        else:
            first, *others = problem.render().splitlines()
            lines += [(first, "yellow"), *((line, "") for line in others)]
    if told_by_reason:
        lines.append(("not carried over, by reason (with the lines of the old file):", "dim"))
    for reason, names in told_by_reason.items():
        lines += [(line, "dim") for line in _wrapped(reason, width, "  ", "  ")]
        lines += [(line, "dim") for line in _wrapped(", ".join(names), width, "      ", "      ")]
    return lines


def _wrapped(text: str, width: int, first: str, others: str) -> list[str]:
    return textwrap.wrap(
        text, width, initial_indent=first, subsequent_indent=others, break_on_hyphens=False, break_long_words=False
    )
