"""A run as one page for a browser: self-contained, made from its journal, everything escaped."""

from __future__ import annotations

import shlex
from pathlib import Path

from jinja2 import Environment, FileSystemLoader, StrictUndefined

from installer.journal import Run
from installer.report import words


def render(run: Run) -> str:
    """Return the page of a run.

    Args:
        run: its journal, secrets already masked.
    """
    environment = Environment(
        loader=FileSystemLoader(Path(__file__).parent), autoescape=True, undefined=StrictUndefined, trim_blocks=True
    )
    environment.filters["duration"] = words.seconds
    events = run.events()
    facts = [
        ("command", f"pystack {shlex.join(run.argv)}"),
        ("answer file", run.answer_file or "-"),
        ("begun", f"{run.begin.astimezone():%Y-%m-%d %H:%M:%S %Z}"),
        ("took", "-" if run.seconds is None else words.seconds(run.seconds)),
        ("exit code", "-" if run.exit_code is None else str(run.exit_code)),
        ("changed", str(run.totals.get("changed", "-"))),
        ("journal", str(run.folder)),
    ]
    checks = [
        ("Verification", [event for event in events if event["event"] == "verdict"]),
        ("Preflight", [event for event in events if event["event"] == "finding" and event["outcome"] != "success"]),
    ]
    changed = [event for event in events if event["event"] == "change"]
    changed += [event for event in events if event["event"] == "resource" and event["what"] == "changed"]
    return environment.get_template("page.html.j2").render(
        run=run,
        facts=facts,
        failure=run.failure(),
        roles=run.totals.get("roles", ()),
        checks=[
            (title, [{"host": "", "remedy": "", "lines": (), "commands": (), **item} for item in found])
            for title, found in checks
        ],
        changed=[{"lines": (), "step": event.get("role", ""), **event} for event in changed],
    )
