"""README's first command on a clean machine: a fresh Debian that has nothing but Python, and root."""

from __future__ import annotations

import os
import re
from collections.abc import Iterator

import pytest

from installer import lab
from installer.lab import LabHost
from tests.lab.command_line import copy_of_checkout

pytestmark = [pytest.mark.lab, pytest.mark.shows("first-command"), pytest.mark.timeout(2400)]

#: README's command, as it is.
INSTALL = "./pystack install --lab"
#: What `pystack install --lab` may change on the machine, and `lab-down` must put back.
MACHINE = "ip -br link | awk '{print $1}' | sort; nft list ruleset; sysctl net.ipv4.ip_forward; ls /var/lib/pystack/lab"


@pytest.fixture(scope="module", params=["debian-12", pytest.param("debian-13", marks=pytest.mark.long)])
def machine(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[LabHost]:
    """A lab host that stands for a user's machine; its lab lies in a real folder, as overlays do not stack."""
    if os.geteuid() != 0:
        pytest.skip("making lab hosts needs root")
    disk = tmp_path_factory.mktemp("disk")
    for name in ("lib", "cache"):
        (disk / name).mkdir()
    lab.down([host.name for host in lab.hosts() if host.name == "t-clean"])
    (host,) = lab.up(
        ["t-clean"], request.param, binds=[f"{disk}/lib:/var/lib/pystack", f"{disk}/cache:/var/cache/pystack"]
    )
    copy_of_checkout(host.root / "root" / "pystack")
    yield host
    lab.down(["t-clean"])


def in_checkout(machine: LabHost, command: str, timeout: float = 1800) -> tuple[int, str]:
    done = machine.run(f"cd /root/pystack && {command} 2>&1", timeout=timeout)
    return done.returncode, done.stdout


def test_one_command_makes_a_cloud_on_a_machine_that_has_nothing_prepared(machine: LabHost) -> None:
    code, told = in_checkout(machine, INSTALL)
    assert code == 0, told[-5000:]
    assert "the cloud stands" in told
    code, told = in_checkout(machine, "./pystack lab-list")
    assert code == 0
    assert "lab-1" in told


def test_the_same_command_again_changes_nothing(machine: LabHost) -> None:
    code, told = in_checkout(machine, INSTALL)
    assert code == 0, told[-5000:]
    assert re.search(r"(?m)^0 changed, \d+ unchanged", told), told


def test_lab_down_leaves_the_machine_as_it_was(machine: LabHost) -> None:
    assert "pystack0" in machine.run(["ip", "-br", "link"]).stdout
    code, told = in_checkout(machine, "./pystack lab-down")
    assert code == 0, told
    after = machine.run(MACHINE).stdout
    assert "pystack" not in after
    assert "net.ipv4.ip_forward = 0" in after
    assert " on /var/lib/pystack/lab" not in machine.run(["mount"]).stdout
