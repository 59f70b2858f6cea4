"""Compute hosts in Nova's cell, without which no instance is placed on them."""

from __future__ import annotations

from collections.abc import Iterable

from installer.cloud import Cloud, CloudHost
from installer.resources.base import Resource
from installer.resources.nova_cells import CellMember
from installer.roles import Role
from roles.compute.role import name_of
from roles.mariadb import role as mariadb
from roles.nova import configuration
from roles.nova.configuration import USER
from roles.openstack.role import home


class Cells(Role):
    """The compute hosts of the cloud, as the controller must know them."""

    name = "cells"
    title = "Compute hosts in their cell"
    groups = ("controller",)
    after = ("compute",)
    after_here = ("nova",)

    def wanted(self, cloud: Cloud) -> bool:
        return bool(cloud.answers["CONFIG_NOVA_INSTALL"]) and bool(cloud.group("compute"))

    def resources(self, cloud: Cloud, host: CloudHost) -> Iterable[Resource]:
        server = mariadb.server(cloud, host, configuration.schema_of(cloud))
        argv = (f"{home(cloud)}/bin/nova-manage", "cell_v2", "discover_hosts", "--verbose")
        for member in cloud.group("compute"):
            yield CellMember(name_of(member), argv, USER, server)


ROLE = Cells()
