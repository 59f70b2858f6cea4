"""Writing docs/test-matrix.md from the results that there are."""

from __future__ import annotations

from installer.paths import ROOT
from tests.matrix import results
from tests.matrix.declared import CLOUDS, FEATURES, PLATFORMS
from tests.matrix.document import document
from tests.matrix.present import exists

DOCUMENT = ROOT / "docs" / "test-matrix.md"


def made() -> str:
    """Return the document that the results give."""
    return document(results.read(), FEATURES, PLATFORMS, CLOUDS, exists)


def write() -> None:
    """Write the document anew.

    Raises:
        ValueError: with every result that cannot be read; the document stays as it is.
    """
    DOCUMENT.write_text(made(), encoding="utf-8")
