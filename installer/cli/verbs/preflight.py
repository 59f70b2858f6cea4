"""`pystack preflight`: whether the hosts are fit."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from installer import exit_codes
from installer.cli.given import Style, need_answer_file, settings
from installer.cli.options import verb


@verb
def preflight(
    _context: Any,
    answer_file: str = "",
    set_: Sequence[str] | None = None,
    bundle: str = "",
    quiet: bool = False,
    json: bool = False,
) -> int:
    """Look whether the hosts are fit, all at once, changing nothing

    Each finding says what was found, why it matters and what to do. `install` begins with the same checks.

    Example:
      pystack preflight --answer-file cloud.txt

    Exit codes: 0 fit, 3 not fit, 4 a host cannot be reached
    """
    path, overrides = need_answer_file(answer_file), settings(set_)
    from installer.cli.session import session
    from installer.cli.steps import relatives
    from installer.report.tables import findings

    with session("preflight", path, overrides, Style(quiet, json), bundle=bundle) as run:
        found = run.operation.preflight()
        run.report.close()
        run.show(relatives(run))
        run.show(findings(found, run.screen.width))
        failed = sum(finding.failed for finding in found)
        code = exit_codes.REFUSED if failed else exit_codes.CONVERGED
        run.totals.update(exit_code=code, findings=len(found), failed=failed)
    return code
