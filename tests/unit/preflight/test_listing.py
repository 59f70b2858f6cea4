"""The guide's list of what preflight looks at."""

from installer.preflight import listing


def test_the_guide_lists_every_check_with_the_sentence_that_its_function_begins_with() -> None:
    """If this fails: python -m installer.preflight.listing"""
    text = listing.DOCUMENT.read_text(encoding="utf-8")
    assert listing.document(text) == text
    assert listing.listing().count("\n") > 25
