"""What verify does where there is no image to boot an instance from."""

from types import SimpleNamespace

import pytest

from installer.verify import place
from installer.verify.failing import CheckFailed
from tests.unit.roles.test_roles import cloud_of


def live(platform, **answers):
    cloud = cloud_of(platform=platform, **answers)
    admin = SimpleNamespace(image=SimpleNamespace(images=lambda name: iter(())))
    return SimpleNamespace(answers=cloud.answers, hosts=cloud.hosts, admin=admin)


@pytest.mark.parametrize(
    ("platform", "answers", "outcome", "told"),
    [
        ("debian-13", {}, "fail", "pystack install"),
        ("el-10", {}, "skipped", "CONFIG_PROVISION_IMAGE_URL"),
        ("fedora-43", {}, "skipped", "CONFIG_PROVISION_IMAGE_URL"),
        ("el-10", {"CONFIG_PROVISION_IMAGE_URL": "https://images.example.org/i.qcow2"}, "fail", "pystack install"),
        ("debian-13", {"CONFIG_PROVISION_DEMO": "n"}, "skipped", "--set CONFIG_PROVISION_IMAGE_NAME"),
    ],
)
def test_a_cloud_without_an_image_fails_where_pystack_puts_one_there_and_is_left_out_where_it_does_not(
    platform, answers, outcome, told
):
    with pytest.raises(CheckFailed) as raised:
        place._image(live(platform, **answers))
    assert raised.value.outcome == outcome
    assert told in raised.value.remedy
