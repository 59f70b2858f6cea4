"""A cloud of one host, installed by that host on itself, without SSH: `pystack install --allinone`."""

from __future__ import annotations

import os
import shlex
from collections.abc import Iterator

import pytest

from installer import lab
from installer.lab import LabHost
from tests.lab.command_line import copy_of_checkout
from tests.lab.identity_only import SET_IDENTITY_ONLY

pytestmark = [pytest.mark.lab, pytest.mark.shows("this-machine", "identity", "second-run"), pytest.mark.timeout(1800)]


@pytest.fixture(scope="module")
def machine(request: pytest.FixtureRequest) -> Iterator[LabHost]:
    if os.geteuid() != 0:
        pytest.skip("making lab hosts needs root")
    lab.down([host.name for host in lab.hosts() if host.name == "t-self"])
    # By itself the one whose Python is the oldest that pystack runs with.
    (host,) = lab.up(["t-self"], request.config.getoption("--platform") or "debian-12")
    copy_of_checkout(host.root / "root" / "pystack")
    yield host
    lab.down(["t-self"])


def test_allinone_installs_on_this_machine_and_again_changes_nothing(machine: LabHost) -> None:
    command = f"cd /root && ./pystack/pystack install --allinone --yes {shlex.join(SET_IDENTITY_ONLY)} 2>&1"
    first = machine.run(command, timeout=1500)
    assert first.returncode == 0, first.stdout[-5000:]
    assert "the cloud stands" in first.stdout
    (answer_file,) = machine.run("ls /root/pystack-answers-*.txt").stdout.split()
    before = machine.run(["sha256sum", answer_file]).stdout
    again = machine.run(f"cd /root && ./pystack/pystack install --answer-file {answer_file} --json", timeout=600)
    assert again.returncode == 0, again.stdout[-3000:] + again.stderr[-3000:]
    assert '"changed": 0' in again.stdout.splitlines()[-1] or '"changed": 0' in again.stdout
    assert machine.run(["sha256sum", answer_file]).stdout == before
