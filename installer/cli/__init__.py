"""The command line of pystack. Verbs are in ``verbs/``, one module each; only here is anything printed."""

from __future__ import annotations

import os
import signal
import sys
import termios
from collections.abc import Sequence
from typing import Any

from installer import __version__, exit_codes
from installer.errors import InternalError, PystackError


def main() -> None:
    """Run the command line of this process, and end it with the exit code."""
    # Whoever asks the process to end gets the same orderly end as with Ctrl-C.
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    terminal = _terminal()
    try:
        code = run(sys.argv[1:])
        sys.stdout.flush()
    except BrokenPipeError:
        # Whoever reads has seen enough, as in `pystack plan | head`.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        code = exit_codes.INTERRUPTED
    if code == exit_codes.INTERRUPTED:
        # Threads that wait for hosts would keep the process alive until those are done.
        sys.stderr.flush()
        if terminal:
            # One of them may have been asking for a password, which the terminal does not show.
            termios.tcsetattr(0, termios.TCSADRAIN, terminal)
        os._exit(code)
    sys.exit(code)


def _terminal() -> list[Any] | None:
    """Return how the terminal is set that standard input comes from; None if there is none."""
    try:
        return termios.tcgetattr(0)
    except termios.error:
        return None


def run(words: Sequence[str]) -> int:
    """Run a command and return its exit code; nothing is raised but a broken pipe.

    Args:
        words: the command line without the program's name.
    """
    from installer.cli.program import PystackProgram
    from installer.cli.verbs import VERBS

    try:
        return PystackProgram(__version__, VERBS).run_words(words)
    except KeyboardInterrupt:
        print(
            "\ninterrupted: the hosts finish the resource in hand; run the same command again",
            file=sys.stderr,
        )
        return exit_codes.INTERRUPTED
    except BrokenPipeError:
        raise
    except PystackError as problem:
        return _told(problem)
    except Exception as problem:
        from installer.cli.faults import as_fault

        return _told(as_fault(problem, words))


def _told(problem: PystackError) -> int:
    from installer.cli.faults import as_fault
    from installer.cli.output import print_error

    if isinstance(problem, InternalError) and not problem.remedy:
        problem = as_fault(problem, sys.argv[1:])
    print_error(problem)
    return problem.exit_code
