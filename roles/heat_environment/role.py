"""The virtual environment that orchestration has of its own."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from pathlib import Path

from installer.cloud import Cloud, CloudHost
from installer.resources.base import Resource
from installer.resources.virtual_environment import VirtualEnvironment
from installer.roles import Role
from roles.heat.role import ROLE as HEAT
from roles.heat.role import USER
from roles.openstack import role as openstack


class HeatEnvironment(Role):
    """Heat's virtual environment, made on the controller while the databases and Keystone are."""

    name = "heat_environment"
    title = "Orchestration from the package index (Heat)"
    groups = ("controller",)
    # What both environments hold is downloaded by it.
    after_here = ("openstack",)
    waits_for_packages = False

    def wanted(self, cloud: Cloud) -> bool:
        return HEAT.wanted(cloud)

    def resources(self, cloud: Cloud, host: CloudHost) -> Iterable[Resource]:
        return self.from_index(cloud, host)

    def from_index(self, cloud: Cloud, host: CloudHost) -> Iterable[VirtualEnvironment]:
        yield openstack.virtual_environment(cloud, host, USER)

    def blobs(self, cloud: Cloud) -> Mapping[str, Path]:
        return openstack.blobs(cloud, USER) if self.wanted(cloud) else {}


ROLE = HeatEnvironment()
