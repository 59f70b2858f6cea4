"""What pystack does with a fault of its own: the traceback goes into a journal, and the operator learns where."""

from __future__ import annotations

import traceback
from collections.abc import Sequence

from installer.cli.spelling import without_secrets
from installer.errors import InternalError, PystackError
from installer.journal import Journal


class Fault(InternalError):
    """A fault of pystack whose traceback is in a journal."""


def as_fault(problem: Exception, words: Sequence[str], journal: Journal | None = None) -> Fault:
    """Write down a fault and return the error that tells the operator about it.

    Args:
        problem: what was raised.
        words: the command line without the program's name.
        journal: of the run; without one a new journal is begun.
    """
    if isinstance(problem, Fault):
        return problem
    said = problem.message if isinstance(problem, PystackError) else f"{type(problem).__name__}: {problem}"
    first = (said.splitlines() or [""])[0]
    text = f"{said}\n\n{''.join(traceback.format_exception(problem))}"
    try:
        own = journal or Journal.begin(_verb(words), without_secrets(words))
        path = own.write_failure(text)
        first = own.mask(first)
        if not journal:
            own.end(InternalError.exit_code)
    except Exception as second:
        return Fault(
            f"this is a fault of pystack: {text}", f"please report it; the journal could not be written: {second}"
        )
    return Fault(
        f"this is a fault of pystack: {first}",
        f"please report it with the file {path}; running the same command again does no harm",
    )


def _verb(words: Sequence[str]) -> str:
    return words[0] if words and words[0].replace("-", "").isalpha() and not words[0].startswith("-") else "pystack"
