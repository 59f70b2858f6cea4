"""The tasks of the whole cloud: those of resources that need more than the identity service."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from ansible_words import Task, ask_api, asks, login, sql

from installer.resources.base import Resource
from installer.resources.bridged_interface import BridgedInterface
from installer.resources.built_module import BuiltModule
from installer.resources.cloud_image import CloudImage
from installer.resources.compute_api import Flavor, KeyPair
from installer.resources.compute_service import ComputeService
from installer.resources.distribution_module import DistributionModule
from installer.resources.key_repository import KeyRepository
from installer.resources.keystone import CloudRole, CloudUser, Domain, RoleAssignment, Service
from installer.resources.network_api import Network, Router, SecurityGroupRule, Subnet
from installer.resources.nova_cells import Cell, CellMember
from installer.resources.openvswitch import OvsBridge, OvsSetting
from installer.resources.ovsdb_listener import DATABASES, OvsdbListener
from installer.resources.package_files import PackageFiles
from installer.resources.sysctl import Sysctl
from installer.resources.test_image import TestImage
from installer.resources.volume import VolumeBackend, VolumeType


def _user(one: Any) -> Task:
    return {"uri": login(one.keystone.url, one.user, one.password.reveal(), scoped=False)}


def _assignment(one: Any) -> Task:
    return _named(ask_api(f"{one.keystone.url}/role_assignments?include_names=true"), one.role)


def _identity(collection: str, field: str) -> Callable[[Any], Task]:
    def task(one: Any) -> Task:
        return _named(ask_api(f"{one.keystone.url}/{collection}"), str(getattr(one, field)))

    return task


def _listed(collection: str, field: str) -> Callable[[Any], Task]:
    def task(one: Any) -> Task:
        return _named(ask_api(f"{one.url}/{collection}"), str(getattr(one, field)))

    return task


def _named(task: Task, name: str) -> Task:
    return {**task, "failed_when": f"'{name}' not in asked.content"}


def _path(field: str) -> Callable[[Any], Task]:
    return lambda one: {
        "stat": {"path": getattr(one, field)},
        "register": "asked",
        "failed_when": "not asked.stat.exists",
    }


def _listener(one: Any) -> Task:
    database = DATABASES[one.database]
    return asks([database.program, f"get-{database.table.lower()}"], str(one.port))


def _setting(one: Any) -> Task:
    return asks(["ovs-vsctl", "get", "Open_vSwitch", ".", f"{one.column}:{one.key}"], one.value)


TASKS: dict[type[Resource], Callable[[Any], Task]] = {
    CloudUser: _user,
    RoleAssignment: _assignment,
    CloudRole: _identity("roles", "role"),
    Domain: _identity("domains", "domain"),
    Service: _identity("services", "service"),
    Flavor: _listed("flavors?is_public=None", "flavor"),
    KeyPair: lambda one: ask_api(f"{one.url}/os-keypairs?limit=1"),
    ComputeService: _listed("os-services", "host"),
    Network: _listed("networks", "network"),
    Subnet: _listed("subnets", "subnet"),
    Router: _listed("routers", "router"),
    SecurityGroupRule: _listed("security-group-rules", "protocol"),
    CloudImage: _listed("images", "image"),
    VolumeType: _listed("types", "type"),
    VolumeBackend: _listed("os-services", "host"),
    Cell: lambda one: sql("SELECT name FROM nova_api.cell_mappings", one.cell),
    CellMember: lambda one: sql("SELECT host FROM nova_api.host_mappings", one.host),
    OvsBridge: lambda one: asks(["ovs-vsctl", "br-exists", one.bridge]),
    OvsSetting: _setting,
    OvsdbListener: _listener,
    BridgedInterface: lambda one: asks(["ovs-vsctl", "port-to-br", one.interface], one.bridge),
    Sysctl: lambda one: asks(["sysctl", "--values", one.key], str(one.value)),
    BuiltModule: _path("path"),
    DistributionModule: _path("site"),
    PackageFiles: _path("path"),
    KeyRepository: lambda one: asks(["ls", one.path], "0"),
    TestImage: _path("path"),
}
