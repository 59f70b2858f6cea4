"""Numbers, times and foreign text as an operator reads them. Pure."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable

#: Escape sequences of terminals: ECMA-48 control sequences, operating system commands, and two-character ones.
_SEQUENCES = re.compile(r"\x1b(\[[0-?]*[ -/]*[@-~]|\][^\x07\x1b]*(\x07|\x1b\\)?|[@-Z\\-_])")


def clean(text: object) -> str:
    """Return one printable line: what came from a host must not command the operator's terminal."""
    plain = _SEQUENCES.sub("", str(text)).rstrip().expandtabs(4)
    return "".join("·" if unicodedata.category(char) in ("Cc", "Cs", "Zl", "Zp") else char for char in plain)


def last_written(text: object) -> str:
    """Return what would be left to see of a line that overwrites itself with carriage returns, as progress bars do."""
    return clean(str(text).rstrip().rpartition("\r")[2])


def clean_lines(lines: Iterable[object]) -> list[str]:
    """Return printable lines, each of the given ones split at its line breaks, blank ones left out."""
    return [last_written(line) for item in lines for line in str(item).split("\n") if line.strip()]


def cut(text: str, width: int) -> str:
    """Return the text in at most ``width`` characters, with an ellipsis where something is missing."""
    return text if len(text) <= width else text[: max(width - 1, 0)] + "…"


def seconds(value: float) -> str:
    """Return a duration: ``0.4 s``, ``12 s``, ``3 min 05 s``, ``1 h 02 min``."""
    if value < 9.95:
        return f"{value:.1f} s"
    whole = round(value)
    if whole < 60:
        return f"{whole} s"
    if whole < 3600:
        return f"{whole // 60} min {whole % 60:02d} s"
    return f"{whole // 3600} h {whole % 3600 // 60:02d} min"


def clock(value: float) -> str:
    """Return a duration that keeps its width while it grows: ``0:07``, ``12:31``, ``1:02:03``."""
    whole = int(value)
    hours, minutes = divmod(whole // 60, 60)
    return f"{hours}:{minutes:02d}:{whole % 60:02d}" if hours else f"{minutes}:{whole % 60:02d}"


def count(number: int, noun: str) -> str:
    """Return a number with its noun: ``1 host``, ``2 hosts``, ``2 addresses``."""
    ending = "" if number == 1 else "es" if noun.endswith("s") else "s"
    return f"{number} {noun}{ending}"
