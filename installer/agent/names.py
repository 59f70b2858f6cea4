"""How this host resolves names, forward and back. Changes nothing."""

from __future__ import annotations

import socket
from concurrent.futures import ThreadPoolExecutor, wait
from typing import Any, Dict, List, Sequence

#: A resolver that does not answer within this many seconds is as good as none to a service at start.
PATIENCE = 4.0


def resolve(names: Sequence[str]) -> Dict[str, Dict[str, Any]]:
    """Return for every name or address: ``addresses`` (sorted), ``names`` (of its first address), ``problem``."""
    pool = ThreadPoolExecutor(max_workers=max(1, len(names)))
    futures = {name: pool.submit(_resolve, name) for name in names}
    wait(list(futures.values()), timeout=PATIENCE)
    pool.shutdown(wait=False)
    silent = {"addresses": [], "names": [], "problem": f"no answer within {PATIENCE:.0f} s"}
    return {name: future.result() if future.done() else dict(silent) for name, future in futures.items()}


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
