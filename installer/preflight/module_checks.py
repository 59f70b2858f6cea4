"""Whether the distribution's Python modules fit the Python that OpenStack runs with. Pure functions."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

from installer.cloud import CloudHost
from installer.outcome import Finding
from installer.platforms import supported
from installer.preflight.seen import Check, Seen
from roles.ceph import client
from roles.openstack.role import python_version

TITLE = "Ceph's modules"


def ceph(seen: Seen) -> Iterator[Finding]:
    """Where Ceph is to be used, the distribution's modules of Ceph are for the Python that OpenStack runs with."""
    parameters = client.asking(seen.cloud.answers, seen.host)
    if not parameters or not seen.host.platform.supported:
        return
    theirs, ours = client.made_for(seen.host), python_version(seen.host)
    if theirs == ours:
        yield seen.good(TITLE, f"for Python {ours}, as OpenStack")
        return
    yield seen.bad(
        TITLE,
        f"those of {seen.host.platform} are for Python {theirs}; OpenStack runs with Python {ours} there",
        f"{', '.join(parameters)} asks for them on this host; they work with one Python only, and the package index "
        "has none",
        f"use a host with one of: {'; '.join(_fitting(seen.host))}; or take ceph out of {', '.join(parameters)}",
    )


def _fitting(host: CloudHost) -> Iterator[str]:
    """Yield the platforms on which it would do."""
    for platform in supported():
        other = replace(host, platform=platform)
        if client.made_for(other) == python_version(other):
            yield str(platform)


CHECKS: tuple[Check, ...] = (ceph,)
