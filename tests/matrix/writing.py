"""Writing docs/test-matrix.md from the results that there are."""

from __future__ import annotations

from pathlib import Path

from installer.paths import ROOT
from tests.matrix import results
from tests.matrix.declared import CLOUDS, FEATURES, PLATFORMS
from tests.matrix.document import document

DOCUMENT = ROOT / "docs" / "test-matrix.md"


def exists(test: str, root: Path = ROOT) -> bool:
    """Tell whether a test that results name is still there: its file, and its function in it. A command always is."""
    name, _, inside = test.partition("[")[0].partition("::")
    if not name.startswith("tests/"):
        return True
    function = inside.rpartition("::")[2]
    path = root / name
    return path.is_file() and (not function or f"def {function}(" in path.read_text(encoding="utf-8"))


def made() -> str:
    """Return the document that the results give."""
    return document(results.read(), FEATURES, PLATFORMS, CLOUDS, exists)


def write() -> None:
    """Write the document anew.

    Raises:
        ValueError: with every result that cannot be read; the document stays as it is.
    """
    DOCUMENT.write_text(made(), encoding="utf-8")
