"""What the options of a command line say. Pure, and quick to import."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from installer.errors import UsageError


@dataclass(frozen=True)
class Style:
    """How a command shows itself: ``quiet`` for errors alone, ``json`` for a line of JSON per event."""

    quiet: bool = False
    json: bool = False

    @property
    def silent(self) -> bool:
        """Whether people's lines are not wanted."""
        return self.quiet or self.json


def settings(given: Sequence[str] | None) -> dict[str, str]:
    """Return what ``--set KEY=VALUE`` options say; the last one of a key counts.

    Raises:
        UsageError: one is not of that form.
    """
    found = {}
    for item in given or ():
        key, equals, value = item.partition("=")
        if not equals or not key.strip():
            raise UsageError("--set wants KEY=VALUE", "for example --set CONFIG_DEBUG_MODE=y")
        found[key.strip().upper()] = value
    return found


def need_answer_file(given: str) -> str:
    """Return the answer file's path; raises UsageError if none was given."""
    if not given:
        remedy = "name it: --answer-file FILE; or make one: pystack generate --output FILE"
        raise UsageError("which answer file?", remedy)
    return given
