"""Past runs as lines of text. Pure but for a run's own files."""

from __future__ import annotations

import shlex
from collections.abc import Sequence

from installer.journal import Run
from installer.outcome import RoleResult, Summary
from installer.report import words
from installer.report.tables import columns, summary

Line = tuple[str, str]

STYLES = {"success": "green", "running": "bold", "interrupted": "yellow", "would change": "yellow"}


def listed(runs: Sequence[Run], folder: str) -> list[Line]:
    """Return a line per run, the last one first, and where the journals are."""
    if not runs:
        return [(f"no runs yet; their journals will be in {folder}", "")]
    header = ("when", "command", "outcome", "changed", "time", "run")
    rows = [
        (
            f"{run.begin.astimezone():%Y-%m-%d %H:%M}",
            run.verb,
            run.outcome,
            str(run.totals.get("changed", "-")),
            "-" if run.seconds is None else words.seconds(run.seconds),
            run.name,
        )
        for run in runs
    ]
    head, *lines = columns([header, *rows])
    styled = [(line, STYLES.get(run.outcome, "red")) for line, run in zip(lines, runs, strict=True)]
    return [(head, "dim"), *styled, (f"journals: {folder}", "dim"), ("one run: pystack status RUN", "dim")]


def told(run: Run, width: int) -> list[Line]:
    """Return what there is to know of one run."""
    facts = [
        ("run", run.name),
        ("command", f"pystack {shlex.join(run.argv)}"),
        ("answer file", run.answer_file or "-"),
        ("begun", f"{run.begin.astimezone():%Y-%m-%d %H:%M:%S}"),
        ("took", "-" if run.seconds is None else words.seconds(run.seconds)),
        ("outcome", run.outcome + ("" if run.exit_code is None else f" (exit code {run.exit_code})")),
        ("journal", str(run.folder)),
    ]
    lines: list[Line] = [(line, "") for line in columns(facts)]
    if run.totals.get("roles"):
        lines += [("", ""), *summary(as_summary(run), width)]
    elif run.exit_code is None:
        lines += [("", ""), ("the last it told:", "dim"), *_last_words(run)]
    failure = run.failure()
    if failure:
        lines += [("", ""), *((words.clean(line), "") for line in failure.splitlines())]
    return lines


def as_summary(run: Run) -> Summary:
    """Return the summary of an installation that its journal kept."""
    results = tuple(
        RoleResult(
            role["host"], role["role"], role["outcome"], ("",) * role["changed"], role["unchanged"], role["seconds"]
        )
        for role in run.totals.get("roles", ())
    )
    return Summary(results, run.totals.get("seconds", 0.0))


def _last_words(run: Run) -> list[Line]:
    from installer.report.lines import describe

    described = [describe(event) for event in run.events()]
    return [(f"  {line[0]}", "") for line in described if line][-10:]
