"""tempest.conf from what the live cloud says of itself. Pure."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

from installer.render import Rendered, render
from installer.resources.secret import MASK, Secret
from installer.tempest.facts import Facts, gaps, project_network

TEMPLATE = "tempest/tempest.conf.j2"


@dataclass(frozen=True)
class Site:
    """What the answer file says and the cloud does not.

    Args:
        identity_url: address of the identity API, with its version.
        region: the region whose endpoints are used.
        admin: the administrator.
        password: theirs.
        authority: the CA certificate, as a PEM file.
        dashboard_url: address of the dashboard; empty without one.
        ssh_user: whom the image lets in.
        type_drivers: kinds of networks there are.
        backup_driver: what backups of volumes are written with.
        folder: where Tempest leaves what it writes.
    """

    identity_url: str
    region: str
    admin: str
    password: Secret
    authority: Path
    dashboard_url: str
    ssh_user: str
    type_drivers: tuple[str, ...]
    backup_driver: str
    folder: Path


def context(facts: Facts, site: Site) -> dict[str, Any]:
    """Return what the template names."""
    left_out = {what for what, _ in gaps(facts)}
    flavors = facts.usable_flavors
    extensions = facts.network_extensions
    several = facts.compute_hosts > 1
    outside = facts.outside
    return {
        "site": site,
        "locks": site.folder / "locks",
        "available": {
            "nova": facts.instances,
            "neutron": "network" in facts.services,
            "glance": "image" in facts.services,
            "cinder": "block-storage" in facts.services and "the volume service" not in left_out,
            "swift": "object-store" in facts.services,
            "horizon": bool(site.dashboard_url),
        },
        "image": facts.image.id if facts.image else "",
        "flavor": flavors[0].id if flavors else "",
        "other_flavor": flavors[min(1, len(flavors) - 1)].id if flavors else "",
        "compute_hosts": facts.compute_hosts,
        "several_hosts": several,
        "resize": several and len(flavors) > 1,
        "versions": facts.versions,
        "outside": outside,
        # Asked for where there are several, and only then.
        "outside_subnet": outside.subnets[0].id if outside and len(outside.subnets) > 1 else "",
        "project_network": project_network(subnet.cidr for subnet in (outside.subnets if outside else ())),
        "extensions": extensions,
        "port_security": "port-security" in extensions,
        "reachable": facts.reachable,
        # What is uploaded by the tests is no real image, and only a raw one may hold anything.
        "disk_formats": sorted(facts.disk_formats, key=lambda name: (name != "raw", name)),
        "backends": facts.backends,
        "backend_names": sorted({backend.name for backend in facts.backends}),
        "backup": facts.backup,
    }


def configuration(facts: Facts, site: Site) -> Rendered:
    """Return tempest.conf.

    Raises:
        AnswerFileError: the administrator's name or password cannot be written there.
    """
    return render(TEMPLATE, **context(facts, site))


def without_secrets(made: Rendered) -> str:
    """Return the text of tempest.conf for people to read."""
    text = made.content
    for secret in made.secrets:
        text = text.replace(secret.reveal(), MASK)
    return text
