"""Whether the cloud's own hosts are reached without a proxy. Pure functions of what agents found."""

from __future__ import annotations

import ipaddress
from collections.abc import Iterable, Iterator
from typing import Any

from installer.outcome import Finding
from installer.preflight.seen import Check, Seen

MANAGER_FILE = "/etc/systemd/system.conf.d/90-no-proxy.conf"


def proxies(seen: Seen) -> Iterator[Finding]:
    """No proxy that is set on the host stands between it and the cloud's hosts."""
    hosts = [host.address for host in seen.cloud.hosts]
    fine = True
    for services in (True, False):
        entries = [entry for entry in seen.report["proxies"] if entry["services"] == services]
        direct = [name for entry in entries for name in entry["no_proxy"]]
        caught = [host for host in hosts if not reached_directly(host, direct)]
        set_in = [entry for entry in entries if entry["proxy"]]
        if set_in and caught:
            fine = False
            yield _caught(seen, services, set_in, caught, [*dict.fromkeys(direct), *caught])
    if fine:
        yield seen.good("proxies", "none between the hosts")


def _caught(seen: Seen, services: bool, entries: list[Any], caught: list[str], direct: list[str]) -> Finding:
    names = ", ".join(dict.fromkeys(name for entry in entries for name in entry["proxy"]))
    found = (
        f"{', '.join(entry['path'] for entry in entries)} sets {names} for all {'services' if services else 'logins'}, "
    )
    listed = ",".join(direct)
    if services:
        return seen.bad(
            "proxies",
            f"{found}and no_proxy lacks {', '.join(caught)}",
            "services of the cloud would ask the proxy for each other",
            "name the cloud's hosts in no_proxy, and have systemd read it",
            f"mkdir -p {MANAGER_FILE.rpartition('/')[0]}",
            f"printf '[Manager]\\nDefaultEnvironment=no_proxy={listed}\\n' > {MANAGER_FILE}",
            "systemctl daemon-reexec",
        )
    return seen.bad(
        "proxies",
        f"{found}and no_proxy lacks {', '.join(caught)}",
        "clients on this host, such as openstack and curl, would ask the proxy for the cloud",
        "name the cloud's hosts in no_proxy",
        "sed -i '/^ *no_proxy *=/Id' /etc/environment",
        f"echo 'no_proxy=\"{listed}\"' >> /etc/environment",
        outcome="warn",
    )


def reached_directly(host: str, direct: Iterable[str]) -> bool:
    """Tell whether a host, name or address, is among those that are reached without a proxy.

    Args:
        host: the host.
        direct: what ``no_proxy`` lists: names, for their subdomains too, addresses and networks.
    """
    for entry in direct:
        name = entry.partition(":")[0].lstrip("*").lstrip(".").lower() if entry.count(":") < 2 else entry
        if entry == "*" or host.lower() == name or host.lower().endswith(f".{name}"):
            return True
        try:
            if ipaddress.ip_address(host) in ipaddress.ip_network(entry, strict=False):
                return True
        except ValueError:
            continue
    return False


CHECKS: tuple[Check, ...] = (proxies,)
