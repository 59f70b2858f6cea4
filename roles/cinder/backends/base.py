"""What every kind of storage is to the rest of Cinder's roles."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any, ClassVar

from installer.cloud import Cloud, CloudHost
from installer.paths import ROLES
from installer.platforms import merged_facts
from installer.resources.base import Resource

USER = "cinder"


class Backend:
    """A kind of storage.

    Class attributes:
        name: in CONFIG_CINDER_BACKEND; its section in cinder.conf, ``volume_backend_name`` and volume type have it too.
        reads: paths of what its driver reads beside cinder.conf.
    """

    name: ClassVar[str]
    reads: ClassVar[tuple[str, ...]] = ()

    def settings(self, cloud: Cloud, host: CloudHost) -> Mapping[str, Any]:
        """Return what its template, ``cinder/<name>.conf.j2``, may name as ``settings``."""
        raise NotImplementedError

    def resources(self, cloud: Cloud, host: CloudHost) -> Iterable[Resource]:
        """Yield what its driver needs on a storage host: packages, files, units."""
        raise NotImplementedError

    def at_compute(self, host: CloudHost) -> Iterable[Resource]:
        """Yield what a host needs whose instances have volumes of it."""
        return ()


def facts(host: CloudHost) -> Mapping[str, Any]:
    """Return what the backends need of a host's platform."""
    return merged_facts(ROLES / "cinder" / "platforms.yaml", host.platform)
