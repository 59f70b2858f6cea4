"""What to do about a value that cannot be read, in the same words wherever one is."""

from __future__ import annotations

from installer.answers.plain_types import Type
from installer.answers.shown import ValueProblem

COMMENT = "a comment needs a line of its own; after the value, leave nothing"
QUOTATION_MARKS = "write it without quotation marks"


def remedy_of(problem: ValueProblem, text: str, kind: Type) -> str:
    """Return the remedy for a value: a habit of other file formats explains more than the value's type can.

    Args:
        problem: why it cannot be read.
        text: the value as given.
        kind: the type that it is to have.
    """
    # A semicolon is taken for a comma sometimes.
    if " #" in text or (" ;" in text and not _is_read(text.replace(";", ","), kind)):
        return COMMENT
    if len(text) > 1 and text[0] == text[-1] and text[0] in "\"'" and _is_read(text[1:-1], kind):
        return QUOTATION_MARKS
    return problem.remedy


def _is_read(text: str, kind: Type) -> bool:
    try:
        kind.parse(text)
    except ValueProblem:
        return False
    return True
