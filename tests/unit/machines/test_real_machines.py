"""docs/real-machines.md, read as the operator types it."""

import re
import shlex
from types import SimpleNamespace

import pytest

from installer.paths import ROOT
from installer.preflight import host_checks
from installer.preflight.seen import Seen
from installer.verify import place
from installer.verify.failing import CheckFailed
from tests.unit.roles.test_roles import cloud_of

GUIDE = (ROOT / "docs" / "real-machines.md").read_text()


def step_two():
    """Return the hosts and parameters of step 2, with what the operator looks up filled in."""
    command = re.search(r"(?ms)^    \./pystack generate .*?[^\\]$", GUIDE.partition("### 2. ")[2])
    assert command is not None
    words = shlex.split(command[0].replace("\\\n", " "))
    given = dict(word.split("=", 1) for word in words if word.startswith("CONFIG_"))
    given = {name: value.replace("SHA256:...", f"SHA256:{'a' * 43}") for name, value in given.items()}
    given["CONFIG_PROVISION_IMAGE_SHA256"] = given["CONFIG_PROVISION_IMAGE_SHA256"].replace("...", "0" * 64)
    return words[words.index("--hosts") + 1].split(","), given


@pytest.mark.parametrize("platform", ["el-9", "el-10", "fedora-43"])
def test_with_the_answers_of_step_two_there_is_an_image_to_verify_the_cloud_with(platform):
    hosts, given = step_two()
    cloud = cloud_of(hosts, platform, **given)
    seen = Seen(cloud, cloud.hosts[0], {"facts": {"architecture": "x86_64"}}, {})
    assert list(host_checks.demo_image(seen)) == []
    images = SimpleNamespace(images=lambda name: iter(()))
    with pytest.raises(CheckFailed) as raised:
        place._image(SimpleNamespace(answers=cloud.answers, hosts=cloud.hosts, admin=SimpleNamespace(image=images)))
    assert raised.value.outcome == "fail"
    assert cloud.answers["CONFIG_PROVISION_IMAGE_SSH_USER"] != "root"


def test_the_user_of_step_two_is_the_one_of_the_image_that_step_two_names():
    _, given = step_two()
    (row,) = re.findall(r"(?m)^\| .*as above.* \| `(\w+)` \|$", GUIDE)
    assert given["CONFIG_PROVISION_IMAGE_SSH_USER"] == row
    assert f"/{row}/" in given["CONFIG_PROVISION_IMAGE_URL"]
