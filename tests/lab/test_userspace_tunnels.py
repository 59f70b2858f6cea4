"""Hosts between which Open vSwitch would drop what instances send are refused before anything is changed."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from installer import answers, lab
from tests.lab import on_platform
from tests.lab.command_line import Operator

pytestmark = [pytest.mark.lab, pytest.mark.shows("preflight"), pytest.mark.timeout(600)]

NAMES = ["t-tunnel-one", "t-tunnel-two"]


def test_a_switch_in_userspace_that_cannot_tunnel_is_refused_for_several_hosts(tmp_path: Path) -> None:
    if os.geteuid() != 0:
        pytest.skip("making lab hosts needs root")
    lab.down([host.name for host in lab.hosts() if host.name in NAMES])
    hosts = lab.up(NAMES, "debian-12", external=True)
    try:
        values = {
            **on_platform.answers(hosts),
            "CONFIG_SSH_KEY": str(hosts[0].private_key),
            "CONFIG_SSL_CERT_DIR": str(tmp_path / "ca"),
            # As without a module in the kernel, which this machine may have.
            "CONFIG_NEUTRON_OVS_DATAPATH": "netdev",
        }
        answers.write(tmp_path / "cloud.txt", answers.generate((), values))
        operator = Operator(tmp_path)
        for verb in ("preflight", "install"):
            refused = operator.run(verb, f"--answer-file={tmp_path}/cloud.txt")
            said = " ".join((refused.out + refused.err).split())
            assert refused.code in (2, 3), said
            assert "where this version of it drops what instances send to other hosts" in said
            assert "the module openvswitch" in said
        assert hosts[0].run("test -e /etc/pystack").returncode != 0
    finally:
        lab.down(NAMES)
