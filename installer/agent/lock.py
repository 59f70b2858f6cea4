"""The host lock: one installer at a time, told by name and age to any other."""

from __future__ import annotations

import contextlib
import fcntl
import json
import os
import time
from pathlib import Path
from typing import Any, Callable, Dict, Optional

#: On a temporary file system: a reboot frees it, and nothing of it stays on the host.
LOCK = Path("/run/pystack/lock")
#: Seconds in which a lock may be no more than somebody's look at it (``holder``), under an old note.
A_LOOK = 1.0


class Busy(Exception):
    """Another installer holds the host lock.

    Args:
        holder: what it wrote: ``owner`` (user@machine), ``run``, ``since`` (seconds since 1970); and the
            ``age`` of the lock (seconds).
    """

    def __init__(self, holder: Dict[str, Any]) -> None:
        super().__init__(f"{holder.get('owner', 'somebody')} holds the host lock")
        self.holder = holder


def take(
    owner: str,
    run: str,
    wait: float,
    tell: Callable[[str], None],
    path: Path = LOCK,
) -> int:
    """Take the lock and return its file descriptor; commands that inherit it hold it too.

    A lock of the same owner is what an earlier, cut-off run has left to finish: it is waited for.

    Args:
        owner: user@machine of the controller.
        run: name of the run.
        wait: seconds to wait for a lock of the same owner.
        tell: takes one line when waiting starts.

    Raises:
        Busy: another owner holds it, or the wait was too long.
    """
    path.parent.mkdir(mode=0o755, parents=True, exist_ok=True)
    descriptor = os.open(path, os.O_RDWR | os.O_CREAT, 0o644)
    begun = time.monotonic()
    told = False
    while True:
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
            break
        except OSError:
            holder = read(path) or {}
            waited, ours = time.monotonic() - begun, holder.get("owner") == owner
            if waited > (max(wait, A_LOOK) if ours else A_LOOK):
                os.close(descriptor)
                # By this host's clock: the controller's may be another.
                age = {"age": time.time() - holder["since"]} if "since" in holder else {}
                raise Busy({**holder, **age}) from None
            if ours and not told and waited > A_LOOK / 2:
                tell(f"waiting for run {holder.get('run', '?')} to finish what it began on this host")
                told = True
            time.sleep(0.2)
    note = json.dumps({"owner": owner, "run": run, "since": time.time(), "pid": os.getpid()})
    os.ftruncate(descriptor, 0)
    os.pwrite(descriptor, note.encode(), 0)
    return descriptor


def holder(path: Path = LOCK) -> Optional[Dict[str, Any]]:
    """Return who holds the lock now, or None. Changes nothing."""
    try:
        descriptor = os.open(path, os.O_RDONLY)
    except OSError:
        return None
    try:
        fcntl.flock(descriptor, fcntl.LOCK_SH | fcntl.LOCK_NB)
    except OSError:
        return read(path) or {}
    finally:
        os.close(descriptor)
    return None


def read(path: Path = LOCK) -> Optional[Dict[str, Any]]:
    """Return what the last holder wrote, if it can be read."""
    with contextlib.suppress(OSError, ValueError):
        note = json.loads(path.read_text())
        return note if isinstance(note, dict) else None
    return None
