"""How a check says that something does not work."""

from __future__ import annotations

from collections.abc import Sequence

from installer.errors import VerificationFailed
from installer.outcome import Verdict


class CheckFailed(VerificationFailed):
    """What was looked at does not do what it must.

    Args:
        found: what is the case, in one line.
        why: what it means for users.
        remedy: what to do.
        lines: what tells more, such as the end of a console.
        outcome: ``fail``, or ``warn`` where the cloud is not to blame.
    """

    def __init__(
        self, found: str, why: str = "", remedy: str = "", lines: Sequence[str] = (), outcome: str = "fail"
    ) -> None:
        super().__init__(found, remedy)
        self.why = why
        self.lines = tuple(lines)
        self.outcome = outcome

    def verdict(self, title: str) -> Verdict:
        """Return it as a verdict."""
        return Verdict(title, self.outcome, self.message, self.why, self.remedy, lines=self.lines)


class NotLoggedIn(CheckFailed):
    """The one who looks cannot log in, so nothing can be looked at."""
