"""The steps of an installation as the operator sees them: checks, question, installation, verification, what next."""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence
from typing import Any

from installer import exit_codes
from installer.cli.output import Screen
from installer.cli.session import Session
from installer.errors import HostUnreachable
from installer.journal import last_verified
from installer.outcome import Summary
from installer.report import failure, tables
from installer.verify.checks import CHECKS, Check


def installed(run: Session, ask: bool) -> int:
    """Install, verify and say how to log in; returns the exit code.

    Args:
        run: the session.
        ask: show how much would change, and ask whether to go on.
    """
    if not fit(run):
        return exit_codes.REFUSED
    if ask and not _agreed(run):
        return exit_codes.CONVERGED
    summary = run.operation.install()
    run.totals.update(totals(summary))
    run.tell({"event": "summary", **run.totals, "journal": str(run.journal.folder)})
    run.show(tables.summary(summary, run.screen.width))
    kept = _untouched(run) if summary.changed else True
    if summary.failed:
        return _failed(run, summary)
    if not kept:
        return exit_codes.FAILED
    before = None if summary.changed else last_verified(run.answers.digest(), run.journal.run)
    if before is not None:
        run.show(
            [(f"nothing has changed since run {before.name} verified the cloud; pystack verify does it again", "")]
        )
        return exit_codes.CONVERGED
    boots = bool(run.answers["CONFIG_VERIFY_INSTANCES"])
    if not boots:
        run.show([("no instance is started: CONFIG_VERIFY_INSTANCES=n; pystack verify does it whenever you like", "")])
    checks = [check for check in CHECKS if boots or not check.boots]
    return exit_codes.CONVERGED if verified(run, checks) else exit_codes.NOT_VERIFIED


def fit(run: Session) -> bool:
    """Run preflight and show what is not good; tells whether nothing stands in the way."""
    found = run.operation.preflight()
    run.show(relatives(run))
    if not any(finding.failed for finding in found):
        if any(finding.outcome == "warn" for finding in found):
            run.show(tables.findings(found, run.screen.width))
        return True
    run.show([])
    screen = Screen(error=True)
    screen.lines(tables.findings(found, screen.width))
    screen.line("preflight refused: nothing was changed. Do what the remedies say, then run the same command again.")
    run.journal.write_failure("\n".join(text for text, _ in tables.findings(found)))
    return False


def bundle_fits(run: Session) -> bool:
    """Show what the bundle, if one is given, does not have of what hosts need; tells whether it has all."""
    found = run.operation.check_bundle()
    for finding in found:
        run.tell({"event": "finding", **dataclasses.asdict(finding)})
    lacking = [finding for finding in found if finding.failed]
    if lacking:
        screen = Screen(error=True)
        screen.lines(tables.findings(lacking, screen.width, "bundle"))
        run.journal.write_failure("\n".join(text for text, _ in tables.findings(lacking, title="bundle")))
    return not lacking


def relatives(run: Session) -> list[tuple[str, str]]:
    """Return a line for each host whose distribution takes the facts of another one."""
    told = {address: known for address, known in run.operation.platforms().items() if known.is_relative}
    return tables.platforms(told)


def _untouched(run: Session) -> bool:
    """Show whether the operator's volume groups are as they were before this run; tells whether they are."""
    try:
        found = run.operation.untouched()
    except HostUnreachable as problem:
        run.show([(f"the volume groups of storage hosts were not compared: {problem.message}", "yellow")])
        return True
    for finding in found:
        run.tell({"event": "finding", **dataclasses.asdict(finding)})
    bad = [finding for finding in found if finding.failed]
    run.show([(f"{finding.host}: {finding.title} {finding.found}", "") for finding in found if not finding.failed])
    if bad:
        screen = Screen(error=True)
        screen.lines(tables.findings(bad, screen.width, "volume groups"))
        run.journal.write_failure("\n".join(text for text, _ in tables.findings(bad, title="volume groups")))
    return not bad


def verified(run: Session, checks: Sequence[Check] = CHECKS, keep: bool = False) -> bool:
    """Verify the cloud and show what does not work; tells whether all does.

    Args:
        run: the session.
        checks: what to look at.
        keep: leave in the cloud what was made for it.
    """
    found = run.operation.verify(checks, keep)
    bad = [verdict for verdict in found if verdict.failed]
    run.totals["verdicts"] = {"failed": len(bad), "all": len(found)}
    if bad:
        run.show([])
        screen = Screen(error=True)
        screen.lines(tables.findings(found, screen.width, "verification"))
        run.journal.write_failure("\n".join(text for text, _ in tables.findings(found, title="verification")))
    else:
        run.show(tables.findings(found, run.screen.width, "verification"))
    return not bad


def totals(summary: Summary) -> dict[str, Any]:
    """Return what the journal keeps of an installation."""
    return {
        "changed": summary.changed,
        "unchanged": summary.unchanged,
        "failed": len(summary.failed),
        "seconds": round(summary.seconds, 3),
        "roles": [
            {
                "host": result.host,
                "role": result.role,
                "outcome": result.outcome,
                "changed": len(result.changed),
                "unchanged": result.unchanged,
                "seconds": round(result.seconds, 3),
            }
            for result in summary.results
        ],
    }


def _agreed(run: Session) -> bool:
    changes = run.operation.plan()
    run.show([tables.plan_totals(changes)])
    with run.report.resting():
        answer = _asked("go on? [Y/n] ") if changes else "y"
    if answer.strip().lower() in ("", "y", "yes"):
        return True
    run.show([("nothing was changed", "")])
    return False


def _asked(question: str) -> str:
    try:
        return input(question)
    except EOFError:
        return "n"


def _failed(run: Session, summary: Summary) -> int:
    kept = run.journal.write_failure(failure.full(summary.failed))
    run.show([])
    screen = Screen(error=True)
    screen.lines(failure.one_screen(summary.failed, str(kept), screen.width))
    codes = [(result.failure or {}).get("exit_code") for result in summary.failed]
    return next((code for code in codes if code), exit_codes.FAILED)
