"""Which tests have passed, failed and were skipped, told by what Tempest says as it goes. Pure."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

PASSED, FAILED, SKIPPED = "passed", "failed", "skipped"
#: subunit's words for how a test ended; a test that succeeds although it is expected not to is a failure.
_WORDS = {"success": PASSED, "xfail": PASSED, "skip": SKIPPED, "fail": FAILED, "uxsuccess": FAILED, "cut off": FAILED}
#: What a class does before its first test and after its last.
_FIXTURE = re.compile(r"(setUpClass|tearDownClass) \((.+)\)")
#: The line of a traceback with the exception: dotted, or named for what it is.
_RAISED = re.compile(r"(\w+\.)+\w+: |\w+(Error|Exception): ")
#: Some reasons begin with the name of the class, and are the same otherwise.
_OWN_NAME = re.compile(r"^\w+ skipped as ")
_TAGS = re.compile(r"\[.*\]$")


@dataclass(frozen=True)
class Outcome:
    """How a test ended.

    Args:
        test: its dotted name, or what a class does before or after its tests.
        what: passed, failed or skipped.
        reason: why it was skipped or what went wrong, in one line.
        details: all that is known of a failure.
        seconds: how long it took.
    """

    test: str
    what: str
    reason: str = ""
    details: str = ""
    seconds: float = 0.0


@dataclass
class Tally:
    """Counts tests as they end.

    Args:
        tests: names of all that are to run.
    """

    tests: Sequence[str]
    outcomes: dict[str, Outcome] = field(default_factory=dict)

    def take(self, line: Mapping[str, Any]) -> list[Outcome]:
        """Take in one line of ``installer.tempest.subunit_lines``, and return what has been decided by it."""
        what = _WORDS.get(str(line["status"]))
        if what is None:
            return []
        name = bare(str(line["test"]))
        if what == FAILED:
            details = line.get("traceback") or line.get("reason") or "it was cut off"
            reason = last_line(details)
        else:
            details, reason = "", str(line.get("reason") or "")
        seconds = float(line.get("seconds") or 0.0)
        made = _FIXTURE.fullmatch(name)
        if made and what == PASSED:
            return []
        names = [name]
        if made and made[1] == "setUpClass":
            # Nothing more is told of the tests of a class that is skipped, or that cannot be set up.
            names = [test for test in self.tests if class_of(test) == made[2] and test not in self.outcomes] or names
        found = [Outcome(test, what, reason, details, seconds) for test in names]
        self.outcomes.update({outcome.test: outcome for outcome in found})
        return found

    def finish(self) -> list[Outcome]:
        """Count the tests that nothing was told of as failures, and return those."""
        found = [Outcome(test, FAILED, "it did not run") for test in self.tests if test not in self.outcomes]
        self.outcomes.update({outcome.test: outcome for outcome in found})
        return found

    @property
    def ended(self) -> int:
        """How many tests of those that were to run have ended."""
        return sum(test in self.outcomes for test in self.tests)

    def of(self, what: str) -> list[Outcome]:
        """Return the tests that ended so, by name."""
        return sorted((one for one in self.outcomes.values() if one.what == what), key=lambda one: one.test)

    def skipped_by_reason(self) -> dict[str, list[str]]:
        """Return the names of skipped tests by their reason, the reason of most first."""
        found: dict[str, list[str]] = {}
        for one in self.of(SKIPPED):
            reason = _OWN_NAME.sub("", one.reason) or "no reason was given"
            found.setdefault(reason, []).append(one.test)
        return dict(sorted(found.items(), key=lambda item: (-len(item[1]), item[0])))


def names(listed: Iterable[str]) -> list[str]:
    """Return the names of tests from the lines of ``tempest run --list-tests``."""
    return sorted(bare(line.strip()) for line in listed if re.match(r"[\w.]+\.[\w.]+(\[|$)", line.strip()))


def bare(test: str) -> str:
    """Return the name of a test without its tags."""
    return _TAGS.sub("", test)


def class_of(test: str) -> str:
    """Return the dotted name of a test's class."""
    return test.rpartition(".")[0]


def last_line(text: str) -> str:
    """Return what a traceback says that went wrong: the first line of the message, and Tempest's details of it."""
    lines = [line.strip() for line in text.splitlines() if line.strip()]
    raised = [number for number, line in enumerate(lines) if _RAISED.match(line)]
    if not raised:
        return lines[-1] if lines else ""
    said = lines[raised[-1] :][:2]
    return " ".join(said) if said[-1].startswith("Details: ") else said[0]
