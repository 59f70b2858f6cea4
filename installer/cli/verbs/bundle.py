"""`pystack bundle`: one archive with all that hosts would download from the package index."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from installer import exit_codes
from installer.cli.given import Style, need_answer_file, settings
from installer.cli.options import verb


@verb
def bundle(
    _context: Any,
    answer_file: str = "",
    output: str = "",
    platform: Sequence[str] | None = None,
    tempest: bool = False,
    set_: Sequence[str] | None = None,
    quiet: bool = False,
    json: bool = False,
) -> int:
    """Write one archive with all that hosts would download from the package index

    It holds the wheels of every lock that the answer file needs, each checked against the lock, and uv; and
    of the distribution's packages the list with versions, and the packages themselves: apt's where this
    machine reaches their source, dnf's as the hosts download them. The hosts of the answer file are looked
    at, which installs and changes nothing; with --platform they need not be there, and the list is one of
    names without versions.
    `install --bundle FILE` uses it. Hosts are of this machine's architecture.

    Examples:
      pystack bundle --answer-file cloud.txt --output cloud.tar
      pystack bundle --answer-file cloud.txt --platform el-10 --platform debian-13

    Exit codes: 0 written, also where the distribution's packages could not be had: the last lines name
    them, and why; 2 answer file, or it cannot be written, 3 a host runs what pystack does not install on,
    4 a host cannot be reached, 5 the package index does not answer or lacks something
    """
    path, overrides = need_answer_file(answer_file), settings(set_)
    from installer.cli.bundling import bundled
    from installer.cli.session import session

    with session("bundle", path, overrides, Style(quiet, json)) as run:
        to = output or f"pystack-{run.answers['CONFIG_OPENSTACK_RELEASE']}.tar"
        bundled(run, path, to, list(platform or ()), tempest)
        run.totals["exit_code"] = exit_codes.CONVERGED
    return exit_codes.CONVERGED
