"""Clients of a Ceph cluster: programs, Python modules, and how they find it and log in.

The files are the service's own. /etc/ceph is not touched: on a host that is part of the cluster it is the cluster's.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from installer.cloud import Cloud, CloudHost
from installer.render import rendered_file
from installer.resources.base import Resource
from installer.resources.distribution_module import DistributionModule
from installer.resources.package import Package
from installer.resources.secret import Secret
from roles.openstack.role import home, site_packages

#: The package index has no binaries of them.
MODULES = ("rados", "rbd")


def configuration(service: str) -> str:
    """Return the path of what tells a service where the cluster is."""
    return f"/etc/{service}/ceph.conf"


def reads(service: str) -> tuple[str, str]:
    """Return the paths of what a service reads of the cluster: configuration and keys."""
    return configuration(service), f"/etc/{service}/ceph.keyring"


def resources(cloud: Cloud, host: CloudHost, service: str, logins: Mapping[str, Secret]) -> Iterator[Resource]:
    """Yield what makes a service a client of the cluster.

    Args:
        cloud: the cloud.
        host: where it runs.
        service: its account, and the folder below /etc that it has.
        logins: its users at the cluster, without ``client.``, with their keys.
    """
    here = facts(host)
    yield from map(Package, here["packages"])
    for module in MODULES:
        yield DistributionModule(module, here["modules"], (f"{module}.*so",), home(cloud), site_packages(cloud, host))
    path, keyring = reads(service)
    monitors = ",".join(map(str, cloud.answers["CONFIG_CEPH_MONITORS"]))
    yield rendered_file(keyring, "ceph/client.keyring.j2", group=service, mode=0o640, logins=dict(logins))
    yield rendered_file(path, "ceph/client.conf.j2", group=service, mode=0o640, monitors=monitors, keyring=keyring)


def sources(cloud: Cloud, host: CloudHost) -> tuple[str, ...]:
    """Return the packages that bring the source of a host's client, where the distribution does not have it itself."""
    return tuple(facts(host)["sources"]) if asking(cloud.answers, host) else ()


def asking(answers: Mapping[str, Any], host: CloudHost) -> tuple[str, ...]:
    """Return the parameters that ask for Ceph's modules on a host.

    A host that runs instances is not asked for them: QEMU goes to the cluster itself.
    """
    volumes = bool(answers["CONFIG_CINDER_INSTALL"]) and "storage" in host.groups
    images = bool(answers["CONFIG_GLANCE_INSTALL"]) and "controller" in host.groups
    asked = {
        "CONFIG_CINDER_BACKEND": volumes and "ceph" in answers["CONFIG_CINDER_BACKEND"],
        "CONFIG_CINDER_BACKUP": volumes and answers["CONFIG_CINDER_BACKUP"] == "ceph",
        "CONFIG_GLANCE_BACKEND": images and answers["CONFIG_GLANCE_BACKEND"] == "ceph",
    }
    return tuple(name for name, wanted in asked.items() if wanted)


def made_for(host: CloudHost) -> str:
    """Return the version of Python that the modules of a host's distribution are for, such as ``3.12``."""
    return str(facts(host)["python"])


def facts(host: CloudHost) -> Mapping[str, Any]:
    """Return what a client needs of a host's platform."""
    return host.platform_facts("ceph")
