"""Account, folders and configuration of Nova, on every host that runs a part of it."""

from __future__ import annotations

import json
from collections.abc import Iterable
from typing import Any

from installer.addresses import address_of
from installer.cloud import Cloud, CloudHost
from installer.ports import local_port
from installer.resources.base import Resource
from installer.resources.file import File
from installer.resources.secret import Secret
from installer.roles import Schema
from installer.sizing import reserved_memory, workers
from installer.urls import api_url, database_url
from roles import service
from roles.libvirt import role as libvirt
from roles.openstack.role import home

USER = "nova"
#: What all parts read but nova-compute, which must not know the databases and has a file of its own.
CONTROLLER, COMPUTE = "/etc/nova/nova.conf", "/etc/nova/nova-compute.conf"
DATABASES = ("nova_api", "nova_cell0", "nova")
#: Where noVNC's pages are unpacked.
PAGES = "/opt/pystack/novnc"


def account(host: CloudHost) -> Iterable[Resource]:
    """Yield account and folders; the same for all roles of a host."""
    instances = "compute" in host.groups
    yield from service.account(
        USER,
        "instances",
        groups=(libvirt.GROUP,) if instances else (),
        # QEMU has an account of its own, and its disks lie below.
        mode=0o755 if instances else 0o750,
    )


def controller(cloud: Cloud, host: CloudHost, pages: str) -> File:
    """Return nova.conf.

    Args:
        cloud: the cloud.
        host: the controller.
        pages: folder of noVNC's pages, or nothing.
    """
    answers = cloud.answers
    return service.configuration(
        cloud,
        USER,
        CONTROLLER,
        "nova/nova.conf.j2",
        transport_url=service.transport_url(cloud),
        web=pages,
        api_connection=connection(cloud, "nova_api"),
        connection=connection(cloud, "nova"),
        workers=workers(cloud, host),
        password=answers["CONFIG_NOVA_KS_PW"],
        metadata_secret=answers["CONFIG_NEUTRON_METADATA_PW"],
        console_port=local_port("novnc"),
        aliases=devices(cloud, "CONFIG_NOVA_PCI_ALIAS"),
    )


def compute(cloud: Cloud, host: CloudHost) -> File:
    """Return nova-compute.conf."""
    answers, kind = cloud.answers, virt_type(cloud, host)
    x86 = host.facts.get("architecture", "x86_64") == "x86_64"
    return service.configuration(
        cloud,
        USER,
        COMPUTE,
        "nova/nova-compute.conf.j2",
        transport_url=service.transport_url(cloud),
        address=address_of(host),
        resume=answers["CONFIG_NOVA_RESUME_INSTANCES"],
        cpu_ratio=answers["CONFIG_NOVA_SCHED_CPU_ALLOC_RATIO"],
        ram_ratio=answers["CONFIG_NOVA_SCHED_RAM_ALLOC_RATIO"],
        reserved_memory=reserved_memory(host),
        mkisofs=libvirt.ROLE.facts(host)["mkisofs"],
        password=answers["CONFIG_NOVA_KS_PW"],
        console_url=api_url(answers, "novnc", "/vnc_lite.html"),
        virt_type=kind,
        # What current distributions for servers need at least, x86-64-v2.
        cpu_model="Nehalem" if kind == "qemu" and x86 else None,
        machine="x86_64=q35" if x86 else None,
        ceph=_ceph(cloud),
        aliases=devices(cloud, "CONFIG_NOVA_PCI_ALIAS"),
        devices=devices(cloud, "CONFIG_NOVA_PCI_PASSTHROUGH_WHITELIST"),
        helper=" ".join(("sudo", f"{home(cloud)}/bin/privsep-helper", *service.arguments(USER, COMPUTE))),
    )


def _ceph(cloud: Cloud) -> dict[str, str] | None:
    """Return the user of volumes on Ceph and the name of its key at libvirt, or None without such volumes."""
    answers = cloud.answers
    if not answers["CONFIG_CINDER_INSTALL"] or "ceph" not in answers["CONFIG_CINDER_BACKEND"]:
        return None
    return {"user": str(answers["CONFIG_CINDER_CEPH_USER"]), "secret": str(answers["CONFIG_CINDER_CEPH_SECRET_UUID"])}


def virt_type(cloud: Cloud, host: CloudHost) -> str:
    """Return how instances run on a host: ``kvm``, or ``qemu``, which emulates a processor."""
    asked = cloud.answers["CONFIG_NOVA_LIBVIRT_VIRT_TYPE"]
    return str(asked) if asked else ("kvm" if host.facts.get("kvm", {}).get("works") else "qemu")


def devices(cloud: Cloud, parameter: str) -> list[str]:
    """Return the items of a parameter that is a JSON list, each as JSON."""
    return [json.dumps(item) for item in cloud.answers[parameter]]


def connection(cloud: Cloud, database: str) -> Secret:
    """Return the address of one of Nova's databases."""
    answers = cloud.answers
    return database_url(USER, answers["CONFIG_NOVA_DB_PW"], answers["CONFIG_MARIADB_HOST"], database)


def schema_of(cloud: Cloud) -> Schema:
    """Return Nova's databases, and its account there."""
    return Schema(USER, cloud.answers["CONFIG_NOVA_DB_PW"], DATABASES)


def cells(cloud: Cloud) -> list[dict[str, Any]]:
    """Return Nova's two cells, as ``roles/nova/databases.py`` makes them.

    Their addresses are filled in from nova.conf by whoever reads them (nova/objects/cell_mapping.py), so the database
    holds no password, and a new one is a matter of nova.conf alone.
    """
    answers = cloud.answers
    database = _filled_in(answers["CONFIG_MARIADB_HOST"])
    return [
        {
            # Instances that no host has room for. It has this id in every Nova, and no queue.
            "uuid": "00000000-0000-0000-0000-000000000000",
            "name": "cell0",
            "transport_url": "none:///",
            "database_connection": f"{database}/nova_cell0",
        },
        {
            "uuid": None,
            "name": "cell1",
            "transport_url": f"{_filled_in(answers['CONFIG_AMQP_HOST'])}/{{path}}",
            "database_connection": f"{database}/{{path}}",
        },
    ]


def _filled_in(server: Any) -> str:
    # Nova fills in an IPv6 address without its brackets.
    hostname = "[{hostname}]" if ":" in str(server) else "{hostname}"
    return f"{{scheme}}://{{username}}:{{password}}@{hostname}:{{port}}"
