"""What came of a run of Tempest, as a page of text and as verdicts. Pure."""

from __future__ import annotations

from collections.abc import Iterator

from installer.outcome import Verdict
from installer.report.words import count
from installer.tempest.tally import FAILED, PASSED, SKIPPED, Outcome, Tally, class_of

#: What verdicts of Tempest begin with.
TITLE = "Tempest"
#: Lines of a failure that the screen shows.
MOST_LINES = 12


def page(tally: Tally, seconds: float) -> str:
    """Return what came of every test.

    Args:
        tally: of the run.
        seconds: how long it took.
    """
    lines = [totals(tally, seconds), ""]
    for one in tally.of(FAILED):
        lines += [f"failed: {one.test}", *(f"    {line}" for line in one.details.splitlines() or [one.reason]), ""]
    for reason, tests in tally.skipped_by_reason().items():
        lines += [f"skipped, {count(len(tests), 'test')}: {reason}", *(f"    {test}" for test in tests), ""]
    lines += ["passed:", *(f"    {one.test} ({one.seconds:.1f} s)" for one in tally.of(PASSED))]
    return "\n".join([*lines, ""])


def totals(tally: Tally, seconds: float) -> str:
    """Return the numbers in one line."""
    numbers = ", ".join(f"{len(tally.of(what))} {what}" for what in (PASSED, FAILED, SKIPPED))
    return f"{numbers}, in {seconds / 60:.1f} min"


def failure(outcome: Outcome, folder: str) -> Verdict:
    """Return the verdict on a test that failed."""
    return Verdict(
        f"{TITLE}: {outcome.test}",
        "fail",
        outcome.reason,
        "the cloud does not do what a program may expect of OpenStack",
        f"{folder}/results.txt has all that the test says, {folder}/tempest.log every request",
        lines=outcome.details.splitlines()[-MOST_LINES:],
    )


def conclusion(tally: Tally, seconds: float, folder: str) -> Iterator[Verdict]:
    """Yield what was skipped, by reason, and the totals.

    Args:
        tally: of the run.
        seconds: how long it took.
        folder: where its results are.
    """
    for reason, tests in tally.skipped_by_reason().items():
        classes = sorted({class_of(test).rpartition(".")[2] for test in tests})
        yield Verdict(f"{TITLE}: {count(len(tests), 'test')} of {', '.join(classes)}", SKIPPED, reason)
    title, found = f"{TITLE}: the smoke set", totals(tally, seconds)
    if tally.of(FAILED):
        yield Verdict(title, "fail", found, "each failure is listed by itself", f"{folder}/results.txt has all results")
    else:
        yield Verdict(title, "success", found)
