"""A failed role: on one screen for the operator, in full for the journal. Pure."""

from __future__ import annotations

import shlex
import textwrap
from collections.abc import Sequence
from typing import Any

from installer.outcome import RoleResult
from installer.report.words import clean, clean_lines, count, cut, seconds

Line = tuple[str, str]

#: With the line that the cursor ends on, and a file name that may need two lines, a terminal of 24 lines holds it all.
HEIGHT = 22
AGAIN = "run the same command again: it carries on from here"
CORRECT = "correct that"
UNLESS_PASSED = "correct what stands above, unless it has passed"
#: Tails in the order in which they are given room: what explains most comes first.
TAILS = (("err", "standard error"), ("diagnosis", "diagnosis"), ("out", "standard output"), ("traceback", "traceback"))


def one_screen(failed: Sequence[RoleResult], kept: str, width: int = 80, height: int = HEIGHT) -> list[Line]:
    """Return a screenful on what failed: the first failure in detail, the others in a line each.

    Args:
        failed: the roles that failed, at least one.
        kept: the file that has everything.
        width: columns.
        height: lines at most.
    """
    first, others = failed[0], failed[1:]
    head = _head(first, width)
    foot = _foot(first, others, kept, width)
    tails = _tails(first.failure or {}, height - len(head) - len(foot))
    # The last line is a file name, which is of no use if cut.
    return [*((cut(text, width), style) for text, style in [*head, *tails, *foot[:-1]]), foot[-1]]


def full(failed: Sequence[RoleResult]) -> str:
    """Return all that is known of every failure."""
    parts = []
    for result in failed:
        tails = _tails(result.failure or {}, 10**6)
        remedy = _remedy(result.failure or {})
        parts.append("\n".join([*(text for text, _ in [*_head(result, 10**6, 10**6), *tails]), f"remedy: {remedy}"]))
    return "\n\n".join(parts) + "\n"


def _head(result: RoleResult, width: int, most: int = 4) -> list[Line]:
    failure = result.failure or {}
    lines: list[Line] = [(f"FAILED  {result.host}: role {result.role}, after {seconds(result.seconds)}", "bold red")]
    if failure.get("resource"):
        lines.append((f"  resource   {clean(failure['resource'])}", ""))
    message = _wrapped(clean_lines([failure.get("message") or "no reason was given"]), width - 13)
    lines += [(f"  {'problem' if not index else '':10} {line}", "") for index, line in enumerate(message[:most])]
    command = failure.get("command")
    if command:
        lines.append((f"  command    {clean(shlex.join(command['argv']))}", ""))
        lines.append((f"  exit code  {_code(command['code'])}", ""))
    return lines


def _wrapped(lines: Sequence[str], width: int) -> list[str]:
    return [piece for line in lines for piece in textwrap.wrap(line, width, break_on_hyphens=False)]


def _code(code: int) -> str:
    return f"{code} (ended by signal {-code})" if code < 0 else str(code)


def _tails(failure: dict[str, Any], room: int) -> list[Line]:
    """Return the ends of what was printed, each under its title, with the room shared out fairly."""
    command = failure.get("command") or {}
    found = [(title, clean_lines(command.get(key) or failure.get(key) or ())) for key, title in TAILS]
    found = [(title, lines) for title, lines in found if lines]
    shares = _shares([len(lines) for _, lines in found], room - len(found))
    told: list[Line] = []
    for (title, lines), share in zip(found, shares, strict=True):
        if share:
            part = "" if share == len(lines) else f" (last {share} of {len(lines)} lines)"
            told.append((f"  {title}{part}", "dim"))
            told += [(f"    {line}", "") for line in lines[-share:]]
    return told


def _shares(wanted: Sequence[int], room: int) -> list[int]:
    shares = [0] * len(wanted)
    while room > 0 and any(share < want for share, want in zip(shares, wanted, strict=True)):
        for index, want in enumerate(wanted):
            if shares[index] < want and room > 0:
                shares[index] += 1
                room -= 1
    return shares


def _foot(first: RoleResult, others: Sequence[RoleResult], kept: str, width: int) -> list[Line]:
    lines: list[Line] = []
    if others:
        lines.append((f"{count(len(others), 'more role')} failed:", "red"))
        lines += [(f"  {other.host}: {other.role}: {_short(other)}", "") for other in others[:3]]
    remedy = _wrapped([f"remedy: {_remedy(first.failure or {})}"], width)
    lines += [(line, "bold") for line in remedy[:4]]
    lines.append((f"in full: {kept}", "dim"))
    return lines


def _short(result: RoleResult) -> str:
    failure = result.failure or {}
    return clean(failure.get("resource") or failure.get("message", ""))


def _remedy(failure: dict[str, Any]) -> str:
    # A refusal says itself what is in the way. After a command that failed, such as a download, trying again may do.
    passing = failure.get("traceback") or failure.get("stopped")
    own = "" if passing else UNLESS_PASSED if failure.get("command") else CORRECT
    remedy = clean(failure.get("remedy") or own)
    return remedy if "same command again" in remedy else f"{remedy}; then {AGAIN}" if remedy else AGAIN
