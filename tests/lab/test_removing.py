"""The guide's commands that take a cloud off a host: nothing of it stays, and it can be installed again."""

from __future__ import annotations

import os
import re
import textwrap
from pathlib import Path

import pytest

from installer import answers, lab
from installer.lab import LabHost
from installer.paths import ROOT
from tests.lab import on_platform
from tests.lab.command_line import Operator
from tests.lab.instances import connected
from tests.lab.sdk import QUIET
from tests.lab.volumes import make_volume

pytestmark = [pytest.mark.lab, pytest.mark.shows("removing"), pytest.mark.long, pytest.mark.timeout(3600), QUIET]

NAME = "t-remove"
GUIDE = ROOT / "docs" / "operators-guide.md"
#: Where Cinder mounts the share, whose volumes are not the host's.
SHARE = "/var/lib/cinder/mnt/*"
#: What the guide's commands would ask first.
UNASKED = {"apt-get purge": "DEBIAN_FRONTEND=noninteractive apt-get -y purge", "dnf remove": "dnf -y remove"}
OTHERS = {"apt": "dnf remove", "dnf": "apt-get purge"}
#: What must print nothing afterwards.
LEFT = (
    "systemctl list-unit-files --no-legend 'openstack-*' 'pystack-*'",
    "getent passwd keystone glance placement nova neutron cinder heat horizon",
    "find /etc /opt /root /var/lib /var/cache /var/log -name '*pystack*' -not -name '*.before-pystack' "
    "-not -path '*/journal/*'",
    "grep -rlI 'Made by pystack' /etc --exclude='*.before-pystack' --exclude='*.rpmsave'",
    "pgrep -fa 'mariadbd|beam|haproxy|memcached|ovs-vswitchd|/opt/pystack'",
)


def commands(manager: str) -> str:
    """Return the guide's commands for hosts of a package manager."""
    _, _, section = GUIDE.read_text().partition("\n## Removing\n")
    blocks = re.findall(r"(?m)(?:^    .*\n|^\n(?=    ))+", section)
    script = "\n".join(textwrap.dedent(block) for block in blocks if OTHERS[manager] not in block)
    for asking, unasked in UNASKED.items():
        script = script.replace(asking, unasked)
    return script


def test_the_guides_commands_leave_nothing_and_it_can_be_installed_again(each_kind: str, tmp_path: Path) -> None:
    if os.geteuid() != 0:
        pytest.skip("making lab hosts needs root")
    lab.down([host.name for host in lab.hosts() if host.name == NAME])
    try:
        (host,) = lab.up([NAME], each_kind, external=True)
        install(host, tmp_path)
        kept = volume_on_the_share(host, tmp_path)
        done = host.run(commands(on_platform.package_manager(host)), timeout=600)
        left = [made for command in LEFT if (made := host.run(command).stdout)]
        assert not left, "\n".join([*left, done.stdout[-3000:], done.stderr[-3000:]])
        host.reboot()
        # NFS's own, which a host that shares this machine's kernel cannot mount.
        assert host.run("systemctl --failed --no-legend | grep -v run-rpc_pipefs.mount").stdout == ""
        install(host, tmp_path)
        volume_on_the_share(host, tmp_path)
        host.run(f"ls {SHARE}/volume-{kept}", check=True)
    finally:
        lab.down([NAME])


def volume_on_the_share(host: LabHost, folder: Path) -> str:
    """Make a volume and return its id."""
    with connected(folder / ".config/pystack" / host.address) as demo:
        return str(make_volume(demo, host).id)


def install(host: LabHost, folder: Path) -> None:
    values = {
        **on_platform.answers([host]),
        "CONFIG_VERIFY_INSTANCES": "n",
        "CONFIG_SSH_KEY": str(host.private_key),
        "CONFIG_SSL_CERT_DIR": str(folder / "ca"),
    }
    if not (folder / "cloud.txt").exists():
        answers.write(folder / "cloud.txt", answers.generate((), values))
    done = Operator(folder).run("install", f"--answer-file={folder}/cloud.txt", timeout=1800)
    assert done.code == 0, (done.out + done.err)[-6000:]
