"""How this host resolves names, forward and back. Changes nothing."""

from __future__ import annotations

import functools
import socket
from typing import Any, Dict, List, Sequence

from installer.agent.patience import answered_within

#: A resolver that does not answer within this many seconds is as good as none to a service at start.
PATIENCE = 4.0


def resolve(names: Sequence[str]) -> Dict[str, Dict[str, Any]]:
    """Return for every name or address: ``addresses`` (sorted), ``names`` (of its first address), ``problem``."""
    found = answered_within(PATIENCE, {name: functools.partial(_resolve, name) for name in names})
    silent = {"addresses": [], "names": [], "problem": f"no answer within {PATIENCE:.0f} s"}
    return {name: found.get(name) or dict(silent) for name in names}


def _resolve(name: str) -> Dict[str, Any]:
    try:
        addresses = sorted({str(found[4][0]) for found in socket.getaddrinfo(name, None, type=socket.SOCK_STREAM)})
    except OSError as problem:
        return {"addresses": [], "names": [], "problem": str(problem)}
    names: List[str] = []
    try:
        first, aliases, _ = socket.gethostbyaddr(addresses[0])
        names = [first, *aliases]
    except OSError:
        pass
    return {"addresses": addresses, "names": names, "problem": ""}
