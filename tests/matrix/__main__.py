"""Writes docs/test-matrix.md anew: ``python -m tests.matrix``."""

from __future__ import annotations

import sys

from tests.matrix import writing


def main() -> int:
    """Write the document; returns the exit code."""
    try:
        writing.write()
    except ValueError as problem:
        print(f"error: {problem}", file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
