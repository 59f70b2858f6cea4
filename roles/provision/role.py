"""First things in the cloud: a project with a user, networks, flavors, a key pair and an image."""

from __future__ import annotations

from collections.abc import Iterable

from installer.admin_files import DEMO
from installer.answers.demo_checks import FLOATING, GATEWAY, PARTS, PRIVATE_ADDRESSES
from installer.cloud import Cloud, CloudHost
from installer.resources.base import Resource
from installer.resources.cloud_image import CloudImage
from installer.resources.compute_api import Flavor, KeyPair
from installer.resources.keystone import CloudUser, Project, RoleAssignment
from installer.resources.network_api import Network, Router, SecurityGroupRule, Subnet
from installer.resources.secret import Secret
from installer.roles import Role
from installer.urls import api_url
from roles import service
from roles.nova.role import url as compute_url
from roles.test_image import role as test_image

#: Names as Packstack has them.
PUBLIC, PRIVATE, ROUTER = "public", "private", "router1"
#: Nova's flavors of old: cores, MiB of memory, GiB of disk.
FLAVORS = {
    "m1.tiny": (1, 512, 1),
    "m1.small": (1, 2048, 20),
    "m1.medium": (2, 4096, 40),
    "m1.large": (4, 8192, 80),
    "m1.xlarge": (8, 16384, 160),
}


class Provision(Role):
    """What the demo user needs to start an instance and to reach it."""

    name = "provision"
    title = "First things in the cloud"
    groups = ("controller",)
    after = ("catalogue", "glance", "nova", "neutron", "cells")
    after_here = ("test_image",)

    def wanted(self, cloud: Cloud) -> bool:
        return bool(_demo(cloud) or _flavors(cloud))

    def entities(self, cloud: Cloud) -> Iterable[Resource]:
        if not _demo(cloud):
            return
        keystone = service.keystone(cloud)
        yield Project(keystone, DEMO, description="To try the cloud with")
        yield CloudUser(keystone, DEMO, cloud.answers["CONFIG_KEYSTONE_DEMO_PW"])
        yield RoleAssignment(keystone, DEMO, "member", DEMO)

    def resources(self, cloud: Cloud, host: CloudHost) -> Iterable[Resource]:
        keystone, compute = service.keystone(cloud), compute_url(cloud)
        if _flavors(cloud):
            for name, (cores, memory, disk) in FLAVORS.items():
                yield Flavor(keystone, compute, name, cores, memory, disk)
        if not _demo(cloud):
            return
        if cloud.answers["CONFIG_NEUTRON_INSTALL"]:
            yield from _networks(cloud)
        if cloud.answers["CONFIG_NOVA_INSTALL"]:
            yield KeyPair(keystone, compute, DEMO, DEMO, cloud.demo_key)
        if cloud.answers["CONFIG_GLANCE_INSTALL"]:
            yield from _image(cloud)


def _demo(cloud: Cloud) -> bool:
    return bool(cloud.answers["CONFIG_PROVISION_DEMO"])


def _flavors(cloud: Cloud) -> bool:
    return bool(cloud.answers["CONFIG_NOVA_INSTALL"] and cloud.answers["CONFIG_NOVA_MANAGE_FLAVORS"])


def _networks(cloud: Cloud) -> Iterable[Resource]:
    keystone, url, answers = service.keystone(cloud), api_url(cloud.answers, "neutron", "/v2.0"), cloud.answers
    outside = answers[FLOATING]
    physical = str(answers["CONFIG_NEUTRON_OVN_EXTERNAL_PHYSNET"])
    yield Network(keystone, url, PUBLIC, "admin", external=True, physical_network=physical)
    yield Network(keystone, url, PRIVATE, DEMO)
    yield Subnet(
        keystone,
        url,
        f"{PUBLIC}_subnet",
        PUBLIC,
        "admin",
        str(outside),
        gateway=str(answers[GATEWAY] or outside[1]),
        pools=tuple((str(part.first), str(part.last)) for part in answers[PARTS]),
        # Addresses are Neutron's to give out, not to announce to whoever else is there.
        dhcp=False,
    )
    yield Subnet(keystone, url, f"{PRIVATE}_subnet", PRIVATE, DEMO, PRIVATE_ADDRESSES)
    yield Router(keystone, url, ROUTER, DEMO, PUBLIC, (f"{PRIVATE}_subnet",))
    yield SecurityGroupRule(keystone, url, DEMO, "icmp")
    yield SecurityGroupRule(keystone, url, DEMO, "tcp", 22)


def _image(cloud: Cloud) -> Iterable[Resource]:
    answers = cloud.answers
    own = test_image.ROLE.wanted(cloud)
    source = test_image.PATH if own else str(answers["CONFIG_PROVISION_IMAGE_URL"])
    if not source:
        return
    proxies = {"http": answers["CONFIG_HTTP_PROXY"], "https": answers["CONFIG_HTTPS_PROXY"]}
    asked = dict(_property(str(text)) for text in answers["CONFIG_PROVISION_IMAGE_PROPERTIES"] or ())
    yield CloudImage(
        service.keystone(cloud),
        api_url(answers, "glance", "/v2"),
        str(answers["CONFIG_PROVISION_IMAGE_NAME"]),
        source,
        test_image.FORMAT if own else str(answers["CONFIG_PROVISION_IMAGE_FORMAT"]),
        sha256="" if own else str(answers["CONFIG_PROVISION_IMAGE_SHA256"]),
        properties=tuple({**(test_image.PROPERTIES if own else {}), **asked}.items()),
        proxies=tuple((scheme, Secret(str(value))) for scheme, value in proxies.items() if value),
    )


def _property(text: str) -> tuple[str, str]:
    key, _, value = text.partition("=")
    return key, value


ROLE = Provision()
