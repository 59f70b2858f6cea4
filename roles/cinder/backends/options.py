"""Whatever Cinder has a driver for, by the driver's own options."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from installer import sections
from installer.cloud import Cloud, CloudHost
from installer.resources.base import Resource
from installer.resources.package import Package
from roles.cinder.backends.base import Backend, initiator

TIE = "volume_backend_name"


class WithOptions(Backend):
    """A storage that the answer file has a section for; most of this kind are reached over iSCSI.

    Args:
        name: the section's.
        options: as they stand there.
    """

    def __init__(self, name: str, options: sections.Options) -> None:
        self.name = name
        self.options = options

    @property
    def template(self) -> str:
        """The same for all."""
        return "cinder/options.conf.j2"

    @property
    def tie(self) -> str:
        """Its own, where it has one."""
        return dict(self.options).get(TIE, self.name)

    def settings(self, cloud: Cloud, host: CloudHost) -> Mapping[str, Any]:
        """Return the section's name, its tie, and the other options in their order."""
        options = [(key, sections.value_of(key, text)) for key, text in self.options if key != TIE]
        return {"name": self.name, "tie": self.tie, "options": options}

    def resources(self, cloud: Cloud, host: CloudHost) -> Iterable[Resource]:
        """Yield the iSCSI initiator and the packages that the answer file names."""
        yield from initiator(host)
        yield from map(Package, cloud.answers["CONFIG_CINDER_BACKEND_PACKAGES"])

    def at_compute(self, cloud: Cloud, host: CloudHost) -> Iterable[Resource]:
        """Yield the same as on a storage host."""
        return self.resources(cloud, host)


def described(cloud: Cloud) -> dict[str, WithOptions]:
    """Return the backends that the answer file has sections for, by name."""
    text = cloud.answers["CONFIG_CINDER_BACKEND_OPTIONS"].reveal()
    return {name: WithOptions(name, options) for name, options in sections.read(text).items()}
