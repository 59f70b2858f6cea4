"""`pystack verify`: whether the cloud does what it must."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from installer import exit_codes
from installer.cli.given import Style, need_answer_file, settings
from installer.cli.options import verb


@verb
def verify(
    _context: Any,
    answer_file: str = "",
    set_: Sequence[str] | None = None,
    quiet: bool = False,
    json: bool = False,
) -> int:
    """Use the cloud from outside, as its admin would, and say what works

    Example:
      pystack verify --answer-file cloud.txt

    Exit codes: 0 all works, 2 answer file, or no authority in CONFIG_SSL_CERT_DIR, 6 something does not
    """
    path, overrides = need_answer_file(answer_file), settings(set_)
    from installer.cli.session import session
    from installer.cli.steps import verified

    with session("verify", path, overrides, Style(quiet, json)) as run:
        code = exit_codes.CONVERGED if verified(run) else exit_codes.NOT_VERIFIED
        run.totals["exit_code"] = code
    return code
