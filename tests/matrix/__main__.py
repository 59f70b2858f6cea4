"""Writes docs/test-matrix.md from the results; adds results of real machines first, where runs are named.

``python -m tests.matrix`` writes the document. ``python -m tests.matrix RUN...`` adds what these runs of pystack showed
on real machines: names as ``pystack status`` lists them, or ``last``.
"""

from __future__ import annotations

import sys
from collections.abc import Sequence

from installer import journal
from installer.errors import PystackError
from tests.matrix import machines, results, writing
from tests.matrix.recording import commit


def main(names: Sequence[str]) -> int:
    """Do what the module says; returns the exit code."""
    try:
        found = [result for name in names for result in of_run(name)]
        results.append(found)
        writing.write()
    except (PystackError, ValueError) as problem:
        print(f"error: {problem}", file=sys.stderr)
        return 1
    for result in found:
        print(f"{result.platform}: {result.shows[0]}: {'passed' if result.passed else 'failed'}")
    return 0


def of_run(name: str) -> list[results.Result]:
    """Return what a run showed on real machines.

    Raises:
        UsageError: when there is no such run.
        ValueError: when it shows nothing, and why.
    """
    run = journal.find(name)
    if machines.older_than_checkout(run.begin):
        raise ValueError(f"{run.name} was before this commit was made: check out what was run then")
    return machines.results_of(run, commit(), machines.lab_addresses())


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
