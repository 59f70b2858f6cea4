"""`pystack install`: from an answer file to a verified cloud."""

from __future__ import annotations

import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any

from installer.cli.given import Style, need_answer_file, settings
from installer.cli.options import verb
from installer.errors import PystackError, UsageError


@verb
def install(
    _context: Any,
    answer_file: str = "",
    allinone: bool = False,
    hosts: str = "",
    lab: bool = False,
    set_: Sequence[str] | None = None,
    limit: Sequence[str] | None = None,
    yes: bool = False,
    bundle: str = "",
    quiet: bool = False,
    json: bool = False,
) -> int:
    """Make the hosts what the answer file says, and verify the cloud

    Checks first, then changes what differs and nothing else. After a failure, Ctrl-C or a lost link run
    the same command again: it carries on. With --allinone, --hosts or --lab an answer file is made first.

    Examples:
      pystack install --answer-file cloud.txt
      pystack install --hosts 192.0.2.10,192.0.2.11
      pystack install --lab          (as root: try it on a throw-away host of this machine)

    Exit codes: 0 converged and verified, 2 answer file, 3 refused by preflight, 4 host unreachable,
    5 a resource failed, 6 not verified
    """
    given = {"--answer-file": answer_file, "--allinone": allinone, "--hosts": hosts, "--lab": lab}
    named = [option for option, value in given.items() if value]
    if len(named) > 1:
        raise UsageError(f"{' and '.join(named)} exclude each other", "give one of them")
    overrides = settings(set_)
    if not named:
        need_answer_file("")
    from installer.cli import lab_cloud
    from installer.cli.next_steps import tell_how_to_log_in
    from installer.cli.output import Screen
    from installer.cli.session import session
    from installer.cli.steps import installed
    from installer.cli.verbs.generate import dated_name, make

    style = Style(quiet, json)
    generated = bool(allinone or hosts)
    if lab:
        answer_file = lab_cloud.provide(overrides, style)
    elif generated:
        answer_file = dated_name()
        make(answer_file, hosts, overrides)
        lab_cloud.told(style)(f"the answer file of this cloud is {answer_file}: keep it")
    with (
        _named_from_now_on(answer_file if generated else ""),
        session("install", answer_file, overrides, style, limit=limit, may_change=True, bundle=bundle) as run,
    ):
        code = installed(run, ask=generated and not yes and not style.silent and sys.stdin.isatty())
        run.totals["exit_code"] = code
        run.report.close()
        if code == 0 and "changed" in run.totals:
            tell_how_to_log_in(run, answer_file, lab_cloud.NAME if lab else "")
    if code and generated:
        Screen(error=True).line(_from_now_on(answer_file))
    return code


@contextmanager
def _named_from_now_on(answer_file: str) -> Iterator[None]:
    """Let every error say that the next run needs the file just generated: another one would have other secrets."""
    try:
        yield
    except PystackError as problem:
        if answer_file:
            problem.remedy = f"{problem.remedy}\n{_from_now_on(answer_file)}".lstrip()
        raise


def _from_now_on(answer_file: str) -> str:
    return f"the same command again is from now on: pystack install --answer-file {answer_file}"
