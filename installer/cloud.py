"""The cloud to be: answers, hosts with their groups and facts, release. Plain data that roles read."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from installer.numbering import Numbering
from installer.platforms import Facts, Platform, facts

if TYPE_CHECKING:
    from installer.answers import Answers
    from installer.tls import Certificates

#: What each host is for. A host may be in several groups.
GROUPS = ("controller", "network", "compute", "storage", "database", "queue")
#: What systemd-detect-virt(1) calls containers.
CONTAINERS = (
    *("systemd-nspawn", "lxc", "lxc-libvirt", "docker", "podman", "openvz", "rkt", "wsl", "proot", "pouch"),
    *("container-other",),
)


@dataclass(frozen=True)
class CloudHost:
    """One host of the cloud.

    Args:
        address: as written in the answer file: a name or an IP address.
        groups: the groups it belongs to.
        facts: what the agent found on it: see ``installer.agent.probes``; ``resolved``, the addresses that its name
            means to the hosts of the cloud; and ``volume_groups``, where volumes are kept in one.
        platform: distribution and version.
    """

    address: str
    groups: frozenset[str]
    facts: Mapping[str, Any] = field(default_factory=dict, hash=False)
    platform: Platform = field(default_factory=Platform.unknown, hash=False)

    @property
    def is_container(self) -> bool:
        """Whether the host has neither a kernel nor a clock of its own."""
        return self.facts.get("virtualization") in CONTAINERS

    def platform_facts(self, role: str) -> Facts:
        """Return what this host's platform file says for a role; see ``installer.platforms``."""
        return facts(self.platform, role)


@dataclass(frozen=True)
class Cloud:
    """Everything that roles may read.

    Args:
        answers: the validated answer file.
        hosts: all hosts, in the order of the answer file.
        certificates: the CA and each host's certificate and key.
        demo_key: the demo user's public key, as OpenSSH writes it; empty where nobody needs it.
        numbering: which numbers new accounts get.
    """

    answers: Answers
    hosts: tuple[CloudHost, ...]
    certificates: Certificates
    demo_key: str = ""
    numbering: Numbering = field(default_factory=Numbering, hash=False)

    @property
    def release(self) -> str:
        """The OpenStack release to install, such as ``2026.2``."""
        return str(self.answers["CONFIG_OPENSTACK_RELEASE"])

    def group(self, name: str) -> tuple[CloudHost, ...]:
        """Return the hosts of a group, in the order of the answer file."""
        return tuple(host for host in self.hosts if name in host.groups)

    def first(self, name: str) -> CloudHost:
        """Return the first host of a group.

        Raises:
            LookupError: the group is empty.
        """
        for host in self.hosts:
            if name in host.groups:
                return host
        raise LookupError(f"no host in group {name}")
