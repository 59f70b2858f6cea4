"""`pystack plan`: what would change."""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence
from typing import Any

from installer import exit_codes
from installer.cli.given import Style, need_answer_file, settings
from installer.cli.options import verb


@verb
def plan(
    _context: Any,
    answer_file: str = "",
    set_: Sequence[str] | None = None,
    limit: Sequence[str] | None = None,
    bundle: str = "",
    quiet: bool = False,
    json: bool = False,
) -> int:
    """Show what install would change, as a diff; changes nothing

    + creates, ~ updates, - removes, ? cannot be known before the run. Secrets are masked. With --bundle it
    says, too, what the bundle does not have of what hosts need; install refuses then.

    Example:
      pystack plan --answer-file cloud.txt --set CONFIG_DEBUG_MODE=y

    Exit codes: 0 nothing would change, 10 something would, 3 refused by preflight, 4 a host cannot be
    reached
    """
    path, overrides = need_answer_file(answer_file), settings(set_)
    from installer.cli.session import session
    from installer.cli.steps import bundle_fits
    from installer.report.tables import plan as as_lines

    with session("plan", path, overrides, Style(quiet, json), limit=limit, bundle=bundle) as run:
        changes = run.operation.plan()
        for change in changes:
            run.tell({"event": "change", **dataclasses.asdict(change)})
        run.report.close()
        run.show(as_lines(changes, run.operation.platforms()))
        code = exit_codes.WOULD_CHANGE if changes else exit_codes.CONVERGED
        code = code if bundle_fits(run) else exit_codes.REFUSED
        run.totals.update(exit_code=code, changes=len(changes))
    return code
