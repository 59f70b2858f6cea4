"""How everything that verify makes in a cloud is called, so that it is found again, and whose it is."""

from __future__ import annotations

import getpass
import hashlib
import os
import re
import socket
from pathlib import Path

#: Whatever begins so is a verify's.
PREFIX = "pystack-verify-"
#: Seconds after which what another machine's verify made is left behind for sure: none takes as long.
FOREIGN_SECONDS = 2 * 3600
_NAME = re.compile(rf"{PREFIX}([0-9a-f]{{4}})-([0-9a-f]+)-")


def operator() -> str:
    """Return who verifies, as 4 hex digits: this user of this machine, with this home."""
    who = f"{os.getuid()} {getpass.getuser()} {socket.gethostname()} {Path.home()}"
    return hashlib.sha256(who.encode()).hexdigest()[:4]


def new_run(who: str, now: float) -> str:
    """Return the beginning of all names of a run.

    Args:
        who: see ``operator``.
        now: seconds since 1970.
    """
    return f"{PREFIX}{who}-{int(now):x}-"


def is_left_behind(name: str, who: str, now: float) -> bool:
    """Tell whether something was left behind by an earlier verify, and does not belong to one that is at work.

    Args:
        name: of the thing.
        who: who verifies now; nobody else does under this name, see ``Looking``.
        now: seconds since 1970.
    """
    found = _NAME.match(name)
    if found is None:
        return False
    return found[1] == who or now - int(found[2], 16) > FOREIGN_SECONDS
