"""At which address of its own a host serves the other hosts of the cloud."""

from __future__ import annotations

import contextlib
import ipaddress

from installer.cloud import CloudHost


def address_of(host: CloudHost) -> str:
    """Return the IP address that services on a host listen on for the others.

    The answer file's, where it gives one; for ``localhost`` the loopback; for a name the one of the host's global
    addresses that the name resolves to, else its first. Every host of the cloud is told that the name means it.

    Args:
        host: with its facts, where its address is a name.
    """
    with contextlib.suppress(ValueError):
        return str(ipaddress.ip_address(host.address))
    if host.address == "localhost":
        return "127.0.0.1"
    own = host.facts.get("addresses") or ()
    resolved = frozenset(host.facts.get("resolved") or ())
    # A bridge or a further network may come first, and the order may change from run to run.
    return str(next((address for address in own if address in resolved), next(iter(own), "127.0.0.1")))


def bracketed(address: str) -> str:
    """Return an address or name as a URL and most configuration files write it before a port."""
    return f"[{address}]" if ":" in address else address
