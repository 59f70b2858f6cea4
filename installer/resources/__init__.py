"""Things that must be true on a host: one module per type. They travel to the host: standard library, Python 3.9."""

from __future__ import annotations

import importlib

#: Every module with resource types; the agent loads them all before its first request.
MODULES = (
    "account",
    "answering",
    "bridged_interface",
    "built_module",
    "cloud_image",
    "command",
    "compute_api",
    "compute_service",
    "database",
    "distribution_module",
    "file",
    "firewall_port",
    "host_entry",
    "kernel_module",
    "key_repository",
    "label",
    "libvirt_secret",
    "keystone",
    "keystone_bootstrap",
    "lvm_filter",
    "message_queue",
    "openvswitch",
    "ovsdb_listener",
    "network_api",
    "nova_cells",
    "package",
    "package_files",
    "policy",
    "repository",
    "sysctl",
    "test_image",
    "unit",
    "volume",
    "virtual_environment",
    "volume_group",
    "database_schema",
)


def load_all() -> None:
    """Make every resource type known."""
    for name in MODULES:
        importlib.import_module(f"{__name__}.{name}")
