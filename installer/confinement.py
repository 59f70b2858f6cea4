"""What an SELinux policy must let the services of a host do, where it confines them: resources from platform facts."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from installer.cloud import CloudHost
from installer.paths import TEMPLATES
from installer.resources.base import Resource
from installer.resources.policy import PolicyBoolean, PolicyModule, PolicyPath, PolicyPort

#: What a plan gathers from all roles, for the policy to be ready before packages and services come.
POLICY = (PolicyModule, PolicyBoolean, PolicyPort, PolicyPath)


def is_confined(host: CloudHost) -> bool:
    """Tell whether SELinux enforces or observes a policy on a host."""
    return host.facts.get("selinux", {}).get("now") in ("enforcing", "permissive")


def resources(facts: Mapping[str, Any], host: CloudHost) -> Iterator[Resource]:
    """Yield what platform facts say under ``selinux``; nothing where SELinux is off.

    Args:
        facts: of a role or a backend. Of ``selinux``: ``modules``, names of files below templates/selinux;
            ``booleans`` to switch on; ``ports``, type by number.
        host: the host.
    """
    if not is_confined(host):
        return
    wanted = facts.get("selinux", {})
    for name in wanted.get("modules", ()):
        yield PolicyModule(f"pystack-{name}", (TEMPLATES / "selinux" / f"{name}.cil").read_text(encoding="utf-8"))
    for boolean in wanted.get("booleans", ()):
        yield PolicyBoolean(boolean)
    for port, type_ in wanted.get("ports", {}).items():
        yield PolicyPort(port, type_)
