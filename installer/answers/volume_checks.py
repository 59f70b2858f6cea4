"""Contradictions between what keeps volumes, backups and images, and what is said of it."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Any

from installer import sections
from installer.answers.catalogue import Catalogue
from installer.answers.problem import Problem, Severity

BACKENDS, OPTIONS = "CONFIG_CINDER_BACKEND", "CONFIG_CINDER_BACKEND_OPTIONS"
MONITORS = "CONFIG_CEPH_MONITORS"
#: Sections of cinder.conf that are no backend's.
OTHERS = re.compile(
    r"DEFAULT|backend_defaults|barbican.*|brcd_.*|cinder_sys_admin|cisco_.*|coordination|cors|database|fc-zone-manager"
    r"|glance|healthcheck|key_manager|keystone_authtoken|nova|os_brick|oslo_.*|privsep.*|profiler|sample_.*|service_user"
    r"|ssl|vault"
)
#: Who may want a Ceph cluster: what is asked for, and where.
CEPH = (("CONFIG_CINDER_INSTALL", BACKENDS), ("CONFIG_CINDER_INSTALL", "CONFIG_CINDER_BACKUP"),
        ("CONFIG_GLANCE_INSTALL", "CONFIG_GLANCE_BACKEND"))  # fmt: skip


def kinds(catalogue: Catalogue) -> tuple[str, ...]:
    """Return the backends that pystack knows by itself."""
    found: tuple[str, ...] = catalogue[BACKENDS].type.item.choices  # type: ignore[attr-defined]
    return found


def undescribed(values: Mapping[str, Any], catalogue: Catalogue) -> list[str]:
    """Return the backends that are neither known nor described by a section."""
    known = {*kinds(catalogue), *sections.read(values[OPTIONS].reveal())}
    return [name for name in values[BACKENDS] if name not in known]


def backends(values: Mapping[str, Any], catalogue: Catalogue) -> Iterator[Problem]:
    """Yield what is wrong with the names of backends and the sections that describe some of them."""
    if not values["CONFIG_CINDER_INSTALL"]:
        return
    for name in undescribed(values, catalogue):
        yield Problem(
            Severity.ERROR,
            f"{BACKENDS} names {name}, which is none of {', '.join(kinds(catalogue))}, nor a section in {OPTIONS}",
            f"write one of these, or give {OPTIONS} a section [{name}]",
            key=BACKENDS,
        )
    for name in sorted({name for name in values[BACKENDS] if values[BACKENDS].count(name) > 1}):
        yield Problem(Severity.ERROR, f"{BACKENDS} lists {name} twice", "remove one, or correct it", key=BACKENDS)
    for name, options in sections.read(values[OPTIONS].reveal()).items():
        yield from _section(name, options, values, catalogue)


def _section(
    name: str, options: sections.Options, values: Mapping[str, Any], catalogue: Catalogue
) -> Iterator[Problem]:
    given = dict(options)
    if name in kinds(catalogue) or OTHERS.fullmatch(name):
        yield Problem(
            Severity.ERROR,
            f"{OPTIONS} has a section [{name}], which is none of a further backend",
            f"give it another name; what is to stand in [{name}] goes into /etc/cinder/cinder.conf.d of the host",
            key=OPTIONS,
        )
    elif name not in values[BACKENDS]:
        yield Problem(
            Severity.WARNING,
            f"{OPTIONS} has a section [{name}], but {BACKENDS} does not name it",
            f"add {name} to {BACKENDS}, or remove the section",
            key=OPTIONS,
        )
    elif not re.fullmatch(r"\w+(\.\w+)+", given.get("volume_driver", "")):
        yield Problem(
            Severity.ERROR,
            f"{OPTIONS} does not say the volume_driver of [{name}]",
            "write volume_driver=PATH, such as cinder.volume.drivers.pure.PureISCSIDriver",
            key=OPTIONS,
        )


def ceph(values: Mapping[str, Any]) -> Iterator[Problem]:
    """Yield that nobody says where the Ceph cluster is that something is to be kept on."""
    asking = [what for service, what in CEPH if values[service] and _is_ceph(values[what])]
    if asking and not values[MONITORS]:
        yield Problem(
            Severity.ERROR,
            f"{asking[0]} asks for Ceph, and {MONITORS} does not say where that is",
            f"write the cluster's monitors: {MONITORS}=host,host,host",
            key=asking[0],
        )


def _is_ceph(value: Any) -> bool:
    return "ceph" in value if isinstance(value, tuple) else value == "ceph"
