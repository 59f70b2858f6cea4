"""`pystack verify`: whether the cloud does what it must."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from installer import exit_codes
from installer.cli.given import Style, need_answer_file, settings
from installer.cli.options import verb
from installer.verify.checks import TEMPEST, chosen


@verb
def verify(
    _context: Any,
    answer_file: str = "",
    set_: Sequence[str] | None = None,
    only: Sequence[str] | None = None,
    keep: bool = False,
    tempest: bool = False,
    bundle: str = "",
    quiet: bool = False,
    json: bool = False,
) -> int:
    """Use the cloud from outside, as its users do, and say what works

    Logs in, asks every endpoint, looks for services that are down, and starts an instance with each kind
    of storage, which it reaches by ssh over a floating address. It removes what it made, after Ctrl-C too,
    and what an earlier one left that was killed. With --tempest it also runs the smoke set of OpenStack's
    own test suite, from this machine; it is installed out of a bundle that has it, if one is given.

    Examples:
      pystack verify --answer-file cloud.txt
      pystack verify --answer-file cloud.txt --only compute --only network
      pystack verify --answer-file cloud.txt --only login --tempest

    Exit codes: 0 all works, 2 answer file, or no authority in CONFIG_SSL_CERT_DIR, 6 something does not
    """
    path, overrides = need_answer_file(answer_file), settings(set_)
    checks = (*chosen(only or ()), *([TEMPEST] if tempest else []))
    from installer.cli.session import session
    from installer.cli.steps import verified

    with session("verify", path, overrides, Style(quiet, json), bundle=bundle) as run:
        code = exit_codes.CONVERGED if verified(run, checks, keep) else exit_codes.NOT_VERIFIED
        run.totals["exit_code"] = code
    return code
