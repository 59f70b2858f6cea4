"""Where verify's instances live: the demo project as it was provided, else a project made for the occasion."""

from __future__ import annotations

import math
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from openstack.connection import Connection as Cloud

from installer.admin_files import DEMO
from installer.verify.disks import GIB
from installer.verify.failing import CheckFailed
from installer.verify.live import Live
from roles.provision.role import PRIVATE, PUBLIC
from roles.test_image.role import ROLE as TEST_IMAGE

#: Where nobody provided a network: one that is seen by nobody else.
OWN_ADDRESSES = "192.168.222.0/24"
#: MiB of memory: pystack's own image lives in memory and needs little; what others need, at least, is a guess.
OWN_MEMORY, OTHERS_MEMORY = 256, 1024
PROVISION_REMEDY = "run `pystack install` again: with CONFIG_PROVISION_DEMO=y it makes what lacks"


@dataclass(frozen=True)
class Place:
    """What an instance needs around it.

    Args:
        cloud: as the one sees it who starts the instance.
        project: name of the project.
        network: id of the network that the instance is in.
        outside: id of the network of the floating addresses.
        image: what it boots from.
        user: who logs in to that image.
        is_own: whether pystack made the image.
    """

    cloud: Cloud
    project: str
    network: str
    outside: str
    image: Any
    user: str
    is_own: bool

    @property
    def disk(self) -> int:
        """Size of the image's disk in bytes."""
        return int(self.image.virtual_size or self.image.size or 0)

    @property
    def disk_gib(self) -> int:
        """GiB of the smallest disk that holds the image."""
        return max(1, int(self.image.min_disk or 0), math.ceil(self.disk / GIB))

    @property
    def memory(self) -> int:
        """MiB of memory for an instance of it."""
        return max(OWN_MEMORY if self.is_own else OTHERS_MEMORY, int(self.image.min_ram or 0))


def find(live: Live, run: str) -> Place:
    """Return the place, made first where the answer file provides none.

    Args:
        live: the cloud.
        run: the beginning of all names of this run.

    Raises:
        CheckFailed: something lacks that only an operator can provide.
    """
    if not live.group("compute"):
        raise CheckFailed("left out: the answer file names no compute host", outcome="skipped")
    image = _image(live)
    user = str(live.answers["CONFIG_PROVISION_IMAGE_SSH_USER"])
    is_own = _makes_image(live)
    if not live.answers["CONFIG_PROVISION_DEMO"]:
        outside = _outside(live.admin.network.networks(is_router_external=True))
        cloud, network = _made(live, f"{run}place", outside)
        return Place(cloud, f"{run}place", network, outside, image, user, is_own)
    networks = list(live.demo.network.networks())
    inside = _only(networks, PRIVATE, f"project {DEMO} sees no network {PRIVATE}")
    outside = _only(networks, PUBLIC, f"project {DEMO} sees no external network {PUBLIC}")
    return Place(live.demo, DEMO, inside, outside, image, user, is_own)


def _image(live: Live) -> Any:
    name = str(live.answers["CONFIG_PROVISION_IMAGE_NAME"])
    known = [image for image in live.admin.image.images(name=name) if image.status == "active"]
    if known:
        return known[0]
    if _makes_image(live) or (live.answers["CONFIG_PROVISION_DEMO"] and live.answers["CONFIG_PROVISION_IMAGE_URL"]):
        raise CheckFailed(
            f"the cloud has no active image {name}", "there is nothing to boot an instance from", PROVISION_REMEDY
        )
    if live.answers["CONFIG_PROVISION_DEMO"]:
        raise CheckFailed(
            "left out: the answer file names no image to boot from, and pystack makes none on this platform",
            remedy="name one in CONFIG_PROVISION_IMAGE_URL, and who logs in to it in CONFIG_PROVISION_IMAGE_SSH_USER, "
            f"and run `pystack install` again; or upload one as {name}",
            outcome="skipped",
        )
    raise CheckFailed(
        f"left out: CONFIG_PROVISION_DEMO=n, and the cloud has no image {name} to boot an instance from",
        remedy=f"upload one as {name}, or name one of yours: --set CONFIG_PROVISION_IMAGE_NAME=NAME "
        "--set CONFIG_PROVISION_IMAGE_SSH_USER=USER",
        outcome="skipped",
    )


def _makes_image(live: Live) -> bool:
    """Tell whether the image is one that pystack makes."""
    controller = next(host for host in live.hosts if "controller" in host.groups)
    return TEST_IMAGE.is_made(live.answers, controller)


def _outside(networks: Iterable[Any]) -> str:
    for network in networks:
        return str(network.id)
    raise CheckFailed(
        "left out: CONFIG_PROVISION_DEMO=n, and the cloud has no external network for floating addresses",
        remedy="make one (openstack network create --external ...), or set CONFIG_PROVISION_DEMO=y",
        outcome="skipped",
    )


def _only(networks: Iterable[Any], name: str, problem: str) -> str:
    for network in networks:
        if network.name == name:
            return str(network.id)
    raise CheckFailed(problem, "its instances cannot be reached", PROVISION_REMEDY)


def _made(live: Live, name: str, outside: str) -> tuple[Cloud, str]:
    """Make a project with the admin in it, and a network with a router; return both."""
    live.tell(f"making project {name} with a network")
    identity = live.identity
    project = identity.create_project(name=name, description="pystack verify, removed when it ends")
    admin = str(live.admin.current_user_id)
    role = identity.find_role("admin", ignore_missing=False)
    identity.assign_project_role_to_user(project, admin, role)
    cloud = live.admin_in(name)
    network = cloud.network.create_network(name=name)
    subnet = cloud.network.create_subnet(name=name, network_id=network.id, ip_version=4, cidr=OWN_ADDRESSES)
    router = cloud.network.create_router(name=name, external_gateway_info={"network_id": outside})
    cloud.network.add_interface_to_router(router, subnet.id)
    own = (group for group in cloud.network.security_groups(project_id=project.id) if group.name == "default")
    group = next(own)
    for protocol, port in (("icmp", None), ("tcp", 22)):
        cloud.network.create_security_group_rule(
            security_group_id=group.id,
            direction="ingress",
            ether_type="IPv4",
            protocol=protocol,
            port_range_min=port,
            port_range_max=port,
        )
    return cloud, str(network.id)
