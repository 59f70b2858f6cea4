"""What is wrong with a value, and how values are shown to people."""

from __future__ import annotations

SHOWN_LENGTH = 60


class ValueProblem(ValueError):
    """A text that is not a value of its type.

    Args:
        message: what is wrong with it.
        remedy: what would be right.
    """

    def __init__(self, message: str, remedy: str) -> None:
        super().__init__(message)
        self.message = message
        self.remedy = remedy


def printable(text: str) -> str:
    """Return the text with every character that a terminal would act on, or not show, replaced by a dot."""
    return "".join(char if char.isprintable() else "·" for char in text)


def shown(text: str) -> str:
    """Return a value as it appears in a message: quoted, printable, and not longer than a line bears."""
    cut = text if len(text) <= SHOWN_LENGTH else text[:SHOWN_LENGTH] + "…"
    return f"'{printable(cut)}'"
