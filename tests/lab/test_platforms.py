"""Every release on every platform that the lab has: installs, logs the admin in, and a second run changes nothing."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from installer import answers, lab
from installer.lab import PlatformNotPossible
from tests.lab import on_platform
from tests.lab.command_line import Operator
from tests.lab.identity_only import IDENTITY_ONLY
from tests.matrix.recording import Measured

pytestmark = [pytest.mark.lab, pytest.mark.shows("identity", "second-run"), pytest.mark.long, pytest.mark.timeout(2400)]


@pytest.mark.parametrize(
    "release",
    [pytest.param(release, marks=pytest.mark.shows(f"release-{release}")) for release in ("2026.2", "2026.1")],
)
@pytest.mark.parametrize("platform", ["debian-12", "debian-13", "el-9", "el-10", "fedora-43"])
def test_the_identity_service_stands_and_a_second_run_changes_nothing(
    platform: str, release: str, tmp_path: Path, measured: Measured
) -> None:
    if os.geteuid() != 0:
        pytest.skip("making lab hosts needs root")
    lab.down([host.name for host in lab.hosts() if host.name == "t-platform"])
    try:
        (host,) = lab.up(["t-platform"], platform)
    except PlatformNotPossible as refused:
        pytest.skip(str(refused))
    try:
        values = {
            **on_platform.answers([host]),
            **IDENTITY_ONLY,
            "CONFIG_SSH_KEY": str(host.private_key),
            "CONFIG_SSL_CERT_DIR": str(tmp_path / "ca"),
            "CONFIG_OPENSTACK_RELEASE": release,
        }
        answers.write(tmp_path / "cloud.txt", answers.generate((), values))
        operator = Operator(tmp_path)
        words = ("install", f"--answer-file={tmp_path}/cloud.txt", "--json")
        first = operator.run(*words, timeout=1800)
        assert first.code == 0, first.out[-3000:] + first.err[-3000:]
        again = operator.run(*words)
        assert again.code == 0, again.out[-3000:] + again.err[-3000:]
        assert again.event("summary")["changed"] == 0
        measured(
            platform,
            "identity",
            fresh_seconds=first.seconds,
            rerun_seconds=again.seconds,
            resources=again.event("summary")["unchanged"],
        )
    finally:
        lab.down(["t-platform"])
