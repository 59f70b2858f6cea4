"""What hosts did side by side, as one result or one error that names all who failed."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from concurrent.futures import Future
from typing import Any

from installer.errors import PystackError


def all_results(futures: Mapping[str, Future[Any]]) -> dict[str, Any]:
    """Return every host's result, by address.

    Args:
        futures: what is waited for, by address.

    Raises:
        PystackError: of the first host that failed; it names all that did.
    """
    results: dict[str, Any] = {}
    problems: list[PystackError] = []
    for address, future in futures.items():
        try:
            results[address] = future.result()
        except PystackError as problem:
            problems.append(problem)
    if problems:
        raise _together(problems)
    return results


def _together(problems: Sequence[PystackError]) -> PystackError:
    """Return one error that tells of all: each with its own remedy below it, unless one serves them all."""
    first = problems[0]
    if len({problem.remedy for problem in problems}) == 1:
        first.message = "\n".join(problem.message for problem in problems)
    else:
        lines = [line for problem in problems for line in (problem.message, *_indented(problem.remedy))]
        first.message, first.remedy = "\n".join(lines), "do what these remedies say, then run the same command again"
    first.args = (first.message,)
    return first


def _indented(remedy: str) -> list[str]:
    return [f"  {'        ' if index else 'remedy: '}{line}" for index, line in enumerate(remedy.splitlines())]
