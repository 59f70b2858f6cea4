"""What every exit code means, once: for --help, for the journal of runs and for the documentation."""

from __future__ import annotations

CONVERGED = 0
FAULT = 1
USAGE = 2
REFUSED = 3
UNREACHABLE = 4
FAILED = 5
NOT_VERIFIED = 6
WOULD_CHANGE = 10
INTERRUPTED = 130

#: By code: one word or two for lists, and a sentence for documentation.
MEANINGS: dict[int, tuple[str, str]] = {
    CONVERGED: ("success", "done; after install: the hosts are as the answer file says, and the cloud is verified"),
    FAULT: ("fault", "a fault of pystack itself; the run's journal holds the traceback"),
    USAGE: ("usage", "the command line or the answer file cannot be used; nothing was changed"),
    REFUSED: ("refused", "a preflight check refused; nothing was changed"),
    UNREACHABLE: ("unreachable", "a host cannot be reached, is not trusted, or refused the login"),
    FAILED: ("failed", "a resource failed; run the same command again: it carries on"),
    NOT_VERIFIED: ("not verified", "verification failed: installed, but the cloud does not do what it must"),
    WOULD_CHANGE: ("would change", "plan: there is something to change"),
    INTERRUPTED: (
        "interrupted",
        "ended by Ctrl-C, SIGTERM or a closed pipe; run the same command again: it carries on",
    ),
}


def word(code: int) -> str:
    """Return the one or two words that a list shows for an exit code."""
    return MEANINGS.get(code, (f"code {code}", ""))[0]
