"""What is there for a first instance: the image and its properties."""

from __future__ import annotations

import pytest

from installer.resources.cloud_image import CloudImage
from roles.test_image.role import PATH
from tests.unit.roles.test_roles import cloud_of, resources_of

DRIVE = {"hw_cdrom_bus": "scsi", "hw_scsi_model": "virtio-scsi"}


@pytest.mark.parametrize(
    ("given", "asked", "properties"),
    [
        ("", "", DRIVE),
        ("", "hw_scsi_model=lsilogic,os=linux", {**DRIVE, "hw_scsi_model": "lsilogic", "os": "linux"}),
        ("http://192.0.2.1/x.img", "os=linux", {"os": "linux"}),
    ],
    ids=["pystack's own", "pystack's own, and the operator says more", "the operator's own"],
)
def test_pystacks_own_image_says_where_it_finds_a_configuration_drive(
    given: str, asked: str, properties: dict[str, str]
) -> None:
    cloud = cloud_of(
        CONFIG_PROVISION_DEMO="y", CONFIG_PROVISION_IMAGE_URL=given, CONFIG_PROVISION_IMAGE_PROPERTIES=asked
    )
    (image,) = [item for item in resources_of(cloud) if isinstance(item, CloudImage)]
    assert dict(image.properties) == properties
    assert image.source == (given or PATH)
