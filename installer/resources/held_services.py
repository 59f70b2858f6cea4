"""Debian packages start their services when they are installed: this holds them back until they are configured.

``invoke-rc.d`` and ``deb-systemd-invoke`` ask ``/usr/sbin/policy-rc.d`` whether they may (exit 101: they may not; see
/usr/share/doc/init-system-helpers/README.policy-rc.d.gz). Ours answers 101 only to the package transaction that
carries ``PYSTACK_HOLDS_SERVICES`` in its environment; everybody else gets the answer that they would get without it.
So one that a killed run left behind does no harm, and the next run takes it away.
"""

from __future__ import annotations

import contextlib
import os
from pathlib import Path
from typing import Iterator, Mapping

from installer.resources.transaction import StillRunning

POLICY = Path("/usr/sbin/policy-rc.d")
#: The environment that a transaction needs for its services to be held back.
HOLD: Mapping[str, str] = {"PYSTACK_HOLDS_SERVICES": "yes"}

_MARK = "# Made by pystack for the time of its own package transaction; it is gone after the next run of pystack."


@contextlib.contextmanager
def held_back() -> Iterator[Mapping[str, str]]:
    """Hold services back in commands that run with the environment given, while the body runs.

    A policy of the operator is kept beside it, asked by ours for everybody else, and put back afterwards. Killed at any
    point, either the operator's own policy or ours in front of it is in place. While a package manager that was given
    up on still runs, ours stays: the next run waits for it, and takes ours away.
    """
    let_go()
    _place()
    try:
        yield HOLD
    except StillRunning:
        raise
    except BaseException:
        let_go()
        raise
    else:
        let_go()


def left_behind() -> bool:
    """Tell whether our policy is in place, or the operator's still lies beside it. Changes nothing."""
    return _ours() or os.path.lexists(_kept())


def let_go() -> None:
    """Take our policy away, if it is there, and put the operator's back."""
    kept = _kept()
    if not _ours():
        # Killed before ours was in place, or the operator has made a new one since: theirs counts.
        kept.unlink(missing_ok=True)
    elif os.path.lexists(kept):
        os.replace(kept, POLICY)
    else:
        POLICY.unlink()


def _place() -> None:
    kept = _kept()
    if os.path.lexists(POLICY):
        os.link(POLICY, kept, follow_symlinks=False)
    temporary = POLICY.with_name(f"{POLICY.name}.pystack-new")
    temporary.unlink(missing_ok=True)
    temporary.write_text(
        f'#!/bin/sh\n{_MARK}\n[ -z "$PYSTACK_HOLDS_SERVICES" ] || exit 101\n[ -x {kept} ] || exit 0\nexec {kept} "$@"\n'
    )
    temporary.chmod(0o755)
    os.replace(temporary, POLICY)


def _kept() -> Path:
    return POLICY.with_name(f"{POLICY.name}.before-pystack")


def _ours() -> bool:
    try:
        return _MARK in POLICY.read_text(errors="replace")
    except OSError:
        return False
