"""Whether addresses of the site's own systems, such as storage, can be reached from this host. Changes nothing."""

from __future__ import annotations

import functools
import socket
from typing import Any, Dict, List, Sequence, Tuple

from installer.agent.patience import answered_within

#: A packet that is lost is sent again after one second; what does not answer then lets nothing through.
PATIENCE = 2.5


def connect(asked: Sequence[Sequence[Any]]) -> List[Dict[str, Any]]:
    """Return for each place ``address``, ``port`` and ``problem`` (empty: something listens there).

    Args:
        asked: pairs of a name or address and a TCP port.
    """
    places: List[Tuple[str, int]] = [(str(address), int(port)) for address, port in asked]
    found = answered_within(PATIENCE, {repr(place): functools.partial(_problem, *place) for place in places})
    silent = f"no answer within {PATIENCE:g} s"
    return [
        {"address": address, "port": port, "problem": found.get(repr((address, port)), silent)}
        for address, port in places
    ]


def _problem(address: str, port: int) -> str:
    try:
        socket.create_connection((address, port), timeout=PATIENCE).close()
    except socket.timeout:
        return f"no answer within {PATIENCE:g} s"
    except OSError as problem:
        return str(problem.strerror or problem)
    except (OverflowError, UnicodeError):
        # A port or a name that there cannot be.
        return "there is no such address"
    return ""
