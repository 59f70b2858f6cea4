"""Tests are counted as they end, those of a class that is skipped too; every one is accounted for."""

from __future__ import annotations

from typing import Any

import pytest

from installer.tempest import results
from installer.tempest.tally import FAILED, PASSED, SKIPPED, Tally, last_line, names

TRACEBACK = """Traceback (most recent call last):

  File "/x/tempest/api/one.py", line 12, in test_first
    self.assertEqual(1, 2)

testtools.matchers._impl.MismatchError: 1 != 2: of
several lines"""


def line(test: str, status: str, **more: Any) -> dict[str, Any]:
    return {"test": test, "status": status, "seconds": 1.5, **more}


def tally() -> Tally:
    return Tally(["a.One.test_first", "a.One.test_second", "a.Two.test_first", "b.Three.test_x"])


def test_names_come_without_tags_and_without_what_else_is_printed() -> None:
    listed = ["tempest.api.A.test_x[id-1,smoke]", "", "/some/warning.py:1: no test", "tempest.api.A.test_w", "No test."]
    assert names(listed) == ["tempest.api.A.test_w", "tempest.api.A.test_x"]


def test_each_test_is_told_once_with_its_reason() -> None:
    counted = tally()
    assert counted.take(line("a.One.test_first[id-1,smoke]", "begun")) == []
    (passed,) = counted.take(line("a.One.test_first[id-1,smoke]", "success"))
    (failed,) = counted.take(line("a.One.test_second[id-2]", "fail", traceback=TRACEBACK))
    (skipped,) = counted.take(line("b.Three.test_x", "skip", reason="no such extension"))
    assert (passed.test, passed.what, passed.seconds) == ("a.One.test_first", PASSED, 1.5)
    assert (failed.what, failed.reason, failed.details) == (
        FAILED,
        "testtools.matchers._impl.MismatchError: 1 != 2: of",
        TRACEBACK,
    )
    assert (skipped.what, skipped.reason) == (SKIPPED, "no such extension")
    assert counted.ended == 3


@pytest.mark.parametrize(("status", "what"), [("skip", SKIPPED), ("fail", FAILED)])
def test_what_a_class_does_before_its_tests_counts_for_each_of_them(status: str, what: str) -> None:
    counted = tally()
    found = counted.take(line("setUpClass (a.One)", status, reason="why", traceback="Error: why"))
    assert [(one.test, one.what) for one in found] == [("a.One.test_first", what), ("a.One.test_second", what)]
    assert counted.ended == 2


def test_a_class_that_fails_after_its_tests_is_a_failure_of_its_own() -> None:
    counted = tally()
    counted.take(line("a.Two.test_first", "success"))
    (failed,) = counted.take(line("tearDownClass (a.Two)", "fail", traceback="x.Conflict: still in use"))
    assert (failed.test, failed.what, failed.reason) == ("tearDownClass (a.Two)", FAILED, "x.Conflict: still in use")
    assert [one.test for one in counted.of(PASSED)] == ["a.Two.test_first"]
    assert counted.ended == 1


def test_a_test_of_which_nothing_is_heard_any_more_has_failed() -> None:
    counted = tally()
    (cut,) = counted.take(line("a.One.test_first", "cut off"))
    assert (cut.what, cut.reason) == (FAILED, "it was cut off")
    assert [one.test for one in counted.finish()] == ["a.One.test_second", "a.Two.test_first", "b.Three.test_x"]
    assert len(counted.of(FAILED)) == 4


def test_skipped_tests_are_listed_by_reason_and_no_failure_is_success() -> None:
    counted = tally()
    counted.take(line("a.One.test_first", "success"))
    counted.take(line("a.One.test_second", "skip", reason="rare"))
    counted.take(line("a.Two.test_first", "skip", reason="Two skipped as often"))
    counted.take(line("b.Three.test_x", "skip", reason="Three skipped as often"))
    assert list(counted.skipped_by_reason()) == ["often", "rare"]
    verdicts = list(results.conclusion(counted, 120, "/run"))
    assert [(one.outcome, one.title, one.found) for one in verdicts] == [
        ("skipped", "Tempest: 2 tests of Three, Two", "often"),
        ("skipped", "Tempest: 1 test of One", "rare"),
        ("success", "Tempest: the smoke set", "1 passed, 0 failed, 3 skipped, in 2.0 min"),
    ]


def test_a_failure_makes_the_set_fail_and_is_on_the_page_with_all_it_says() -> None:
    counted = tally()
    (failed,) = counted.take(line("a.One.test_second", "fail", traceback=TRACEBACK))
    assert results.failure(failed, "/run").found == "testtools.matchers._impl.MismatchError: 1 != 2: of"
    (verdict,) = results.conclusion(counted, 60, "/run")
    assert (verdict.outcome, verdict.found) == ("fail", "0 passed, 1 failed, 0 skipped, in 1.0 min")
    page = results.page(counted, 60)
    assert "failed: a.One.test_second" in page
    assert "    several lines" in page


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("", ""),
        ("one line", "one line"),
        ("Traceback\n  File\nx.TimeoutException: Timed out\nDetails: (x) more\nand more", "Details: (x) more"),
        ("ValueError: first\n\nDuring that\n  File\nx.y.Conflict: second\nof two lines", "x.y.Conflict: second"),
    ],
)
def test_the_line_of_a_traceback_that_says_what_went_wrong(text: str, said: str) -> None:
    assert last_line(text) == said.replace("Details", "x.TimeoutException: Timed out Details")
