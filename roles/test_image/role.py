"""A tiny image of pystack's own, for a first instance without any other download."""

from __future__ import annotations

from collections.abc import Iterable

from installer.answers import Answers
from installer.cloud import Cloud, CloudHost
from installer.resources.base import Resource
from installer.resources.file import Directory
from installer.resources.test_image import TestImage as Image
from installer.roles import Role

FOLDER = "/var/lib/pystack/images"
PATH = f"{FOLDER}/test.img"
FORMAT = "raw"
#: Where it finds a configuration drive. Otherwise that is on an AHCI controller, which not every kernel for clouds can
#: read (Debian 12's config-6.1.0-cloud-amd64: CONFIG_SATA_AHCI is not set).
PROPERTIES = {"hw_cdrom_bus": "scsi", "hw_scsi_model": "virtio-scsi"}


class TestImage(Role):
    """The test image on the controller, where the answer file wants an image and names none."""

    name = "test_image"
    title = "Test image"
    groups = ("controller",)
    after_here = ("base",)
    __test__ = False  # for pytest: this is no test

    def wanted(self, cloud: Cloud) -> bool:
        return self.is_made(cloud.answers, cloud.first("controller"))

    def is_made(self, answers: Answers, controller: CloudHost) -> bool:
        """Tell whether the image of the answer file is this one."""
        asked = answers["CONFIG_PROVISION_DEMO"] and answers["CONFIG_GLANCE_INSTALL"]
        return bool(asked and not answers["CONFIG_PROVISION_IMAGE_URL"] and self.possible(controller))

    def possible(self, host: CloudHost) -> bool:
        """Tell whether a host's distribution has what the image is made of."""
        return bool(self.facts(host)) and host.facts.get("architecture", "x86_64") == "x86_64"

    def resources(self, cloud: Cloud, host: CloudHost) -> Iterable[Resource]:
        facts = self.facts(host)
        yield Directory("/var/lib/pystack")
        yield Directory(FOLDER)
        yield Image(
            PATH,
            kernel=facts["kernel"],
            packages=tuple(facts["packages"]),
            user=str(cloud.answers["CONFIG_PROVISION_IMAGE_SSH_USER"]),
        )


ROLE = TestImage()
