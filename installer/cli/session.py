"""One command at work on a cloud: its answers, its journal, its report, and the operation that does the work."""

from __future__ import annotations

import sys
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

from installer import exit_codes
from installer.answers import Answers, Severity, load
from installer.bundle.opening import opened
from installer.cli.connecting import connector
from installer.cli.faults import as_fault
from installer.cli.given import Style
from installer.cli.output import Screen, choose_report
from installer.cli.spelling import without_secrets
from installer.errors import PystackError
from installer.journal import Journal, find
from installer.masking import Masking, secrets_in
from installer.operation import Operation
from installer.outcome import Event
from installer.report import Composite, page


@dataclass
class Session:
    """What a verb works with.

    Args:
        answers: the answer file.
        operation: does the work.
        screen: where results are printed; prints nothing with --quiet and --json.
        report: shows events.
        journal: of this run.
        totals: what the journal's summary will say came of it.
    """

    answers: Answers
    operation: Operation
    screen: Screen
    report: Composite
    journal: Journal
    totals: dict[str, Any]

    def tell(self, event: Event) -> None:
        """Tell report and journal of an event of the command itself."""
        self.report.take(event)

    def show(self, lines: Sequence[tuple[str, str]]) -> None:
        """Print lines, below the live view's last one."""
        with self.report.resting():
            self.screen.lines(lines)


@contextmanager
def session(
    verb: str,
    answer_file: str,
    overrides: Mapping[str, str],
    style: Style,
    *,
    limit: Sequence[str] | None = None,
    may_change: bool = False,
    bundle: str = "",
) -> Iterator[Session]:
    """Load the answers, begin the journal and yield what the verb works with; the journal learns how it ended.

    Args:
        verb: the command.
        answer_file: path.
        overrides: from ``--set``.
        style: how it shows itself.
        limit: hosts; several in one item are separated by commas.
        may_change: whether the command may change hosts.
        bundle: path of a bundle that takes the place of the package index; empty for none.

    Raises:
        PystackError: of any kind; a fault of pystack itself comes as ``Fault``.
    """
    answers = load(answer_file, overrides)
    screen = Screen(silent=style.silent)
    show_warnings(answers, Screen(error=True, silent=style.silent))
    secrets = secrets_in(answers)
    words = without_secrets(sys.argv[1:])
    journal = Journal.begin(verb, words, secrets=secrets, answer_file=answer_file, digest=answers.digest())
    masking = Masking(secrets)
    report = Composite(choose_report(screen, style.quiet, style.json), [journal.take], masking.data)
    totals: dict[str, Any] = {}
    code = exit_codes.FAULT
    try:
        hosts = [host for item in limit or () for host in item.split(",") if host]
        with Operation(
            answers,
            connect=connector(answers, report),
            listen=report.take,
            run=journal.run,
            limit=hosts,
            may_change=may_change,
            bundle=opened(bundle) if bundle else None,
        ) as operation:
            yield Session(answers, operation, screen, report, journal, totals)
        code = int(totals.get("exit_code", exit_codes.CONVERGED))
    except (KeyboardInterrupt, BrokenPipeError):
        code = exit_codes.INTERRUPTED
        raise
    except PystackError as problem:
        problem = as_fault(problem, words, journal) if problem.show_traceback else problem
        code = problem.exit_code
        _note(problem, report, journal)
        raise problem from None
    except Exception as problem:
        fault = as_fault(problem, words, journal)
        _note(fault, report, journal)
        raise fault from problem
    finally:
        report.close()
        journal.end(code, totals)
        journal.write_report(page.render(find(journal.run)))


def _note(problem: PystackError, report: Composite, journal: Journal) -> None:
    event = {"event": "error", "message": problem.message, "remedy": problem.remedy, "exit_code": problem.exit_code}
    report.take(event)
    if not problem.show_traceback:
        journal.write_failure(f"{problem.message}\nremedy: {problem.remedy}")


def show_warnings(answers: Answers, screen: Screen) -> None:
    """Print the warnings of an answer file, which do not stop a run."""
    for problem in answers.notices:
        if problem.severity is Severity.WARNING:
            screen.lines((line, "yellow") for line in problem.render().splitlines())
