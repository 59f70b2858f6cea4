"""What the agent finds out about its host in one go: facts for roles, probes for preflight. Changes nothing."""

from __future__ import annotations

import socket
import time
from concurrent.futures import ThreadPoolExecutor
from typing import Any, Callable, Dict, List

from installer.agent import (
    accounts,
    connections,
    denials,
    firewall,
    hosts_file,
    links,
    lock,
    names,
    origins,
    package_state,
    proxy_settings,
    reach,
    remains,
    selinux,
    sockets,
    storage,
    system,
    volume_groups,
)
from installer.agent.facts import facts
from installer.agent.host import Host

#: What roles decide by, too, and so belongs to the facts.
FACTS = ("firewall", "links", "managers", "selinux")


def probe(ask: Dict[str, Any], host: Host, umask: int = 0o022) -> Dict[str, Any]:
    """Return what each probe found, all side by side; and ``time``, this host's clock in seconds since 1970.

    Args:
        ask: ``only`` what is asked for here, without what is always looked at; ``names`` to resolve besides the host's
            own; ``names`` and ``numbers`` of ``accounts`` to look up; of ``volume_groups`` the ``devices`` and the
            ``place`` to look at; ``connections`` to try; ``denials`` of SELinux. What is not asked for is left out.
        host: the host.
        umask: what a login has.
    """
    probes: Dict[str, Callable[[], Any]] = {
        "facts": lambda: facts(host),
        "lock": lock.holder,
        "listeners": sockets.listeners,
        "remains": lambda: remains.remains(host),
        "firewall": lambda: firewall.firewall(host),
        "links": lambda: links.links(host),
        "managers": lambda: links.managers(host),
        "mounts": storage.mounts,
        "system": lambda: system.system(host, umask),
        "packages": lambda: package_state.package_state(host),
        "origins": lambda: origins.origins(host),
        "hosts_file": hosts_file.hosts_file,
        "proxies": proxy_settings.proxy_settings,
        "selinux": lambda: selinux.selinux(host),
    }
    if ask.get("only"):
        probes = {}
    if "names" in ask:
        # Its own name, too: RabbitMQ and Nova reach themselves by it.
        asked = list(dict.fromkeys([*ask["names"], socket.gethostname()]))
        probes["names"] = lambda: names.resolve(asked)
    if "accounts" in ask:
        probes["accounts"] = lambda: accounts.look_up(ask["accounts"]["names"], ask["accounts"]["numbers"], host)
    if "volume_groups" in ask:
        wanted = ask["volume_groups"]
        probes["volume_groups"] = lambda: volume_groups.look(wanted["devices"], wanted["place"], host)
    if "denials" in ask:
        probes["denials"] = lambda: denials.denials(host)
    if "connections" in ask:
        probes["connections"] = lambda: connections.connect(ask["connections"])
    with ThreadPoolExecutor(max_workers=len(probes)) as pool:
        futures = {name: pool.submit(look) for name, look in probes.items()}
        found: Dict[str, Any] = {name: future.result() for name, future in futures.items()}
    if "facts" in found:
        found["facts"].update((name, found.pop(name)) for name in FACTS)
    # Last of all, so that only the way back lies between this clock and the controller's.
    found["time"] = time.time()
    return found


def sources(ask: Dict[str, Any], host: Host) -> List[Dict[str, str]]:
    """Return whether what is downloaded from can be reached; see ``installer.agent.reach.reach``.

    Args:
        ask: ``index`` (None: no index is needed), ``default_index`` and ``proxies``.
        host: the host.
    """
    needed = ask["index"] is not None
    return reach.reach(reach.index_of(ask["index"], ask["default_index"]) if needed else None, ask["proxies"], host)
