"""What the agent finds out about its host in one go: facts for roles, probes for preflight. Changes nothing."""

from __future__ import annotations

from typing import Any, Dict

from installer.agent import lock
from installer.agent.facts import facts
from installer.agent.host import Host


def probe(ask: Dict[str, Any], host: Host) -> Dict[str, Any]:
    """Return ``facts``, and the answers to what preflight asks.

    Args:
        ask: what preflight wants to know, by probe.
        host: the host.
    """
    return {"facts": facts(host), "lock": lock.holder()}
