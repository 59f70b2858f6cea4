"""Preflight against a crooked host: everything is found in one go, nothing is changed, and the remedies cure it."""

from __future__ import annotations

import os
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from installer import answers, lab
from installer.lab import LabHost
from tests.lab import faults, on_platform, state
from tests.lab.command_line import Operator
from tests.lab.identity_only import IDENTITY_ONLY

pytestmark = [pytest.mark.lab, pytest.mark.shows("preflight"), pytest.mark.timeout(1200)]


@dataclass
class Crooked:
    """A host with many faults, and an operator who points pystack at it."""

    host: LabHost
    operator: Operator
    answer_file: Path


#: What is wrong with it, beside what is left of Packstack and an index that nobody reaches.
FAULTS = ("package source", "ports", "remains", "records")


@pytest.fixture(scope="module")
def crooked(tmp_path_factory: pytest.TempPathFactory, each_kind: str) -> Iterator[Crooked]:
    if os.geteuid() != 0:
        pytest.skip("making lab hosts needs root")
    home = tmp_path_factory.mktemp("home")
    lab.down([host.name for host in lab.hosts() if host.name == "t-crooked"])
    (host,) = lab.up(["t-crooked"], each_kind)
    values = {
        **on_platform.answers([host]),
        **IDENTITY_ONLY,
        "CONFIG_SSH_KEY": str(host.private_key),
        "CONFIG_SSL_CERT_DIR": str(home / "ca"),
        "CONFIG_PACKAGE_INDEX": "http://127.0.0.1:9/simple",
    }
    answer_file = home / "cloud.txt"
    answers.write(answer_file, answers.generate((), values))
    host.run("mkdir -p /var/tmp/packstack", check=True)
    for title in FAULTS:
        faults.make(host, faults.of(host)[title])
    yield Crooked(host, Operator(home), answer_file)
    lab.down(["t-crooked"])


@pytest.mark.parametrize("verb", ["preflight", "install"])
def test_a_crooked_host_is_refused_with_every_fault_and_remedy_and_nothing_changes(crooked: Crooked, verb: str) -> None:
    before = state.everything(crooked.host)
    refused = crooked.operator.run(verb, f"--answer-file={crooked.answer_file}")
    told = refused.out + refused.err
    assert refused.code == 3, told
    for fault in (
        "port 5000 is held by python3 (registry.service)",
        "systemctl disable --now registry.service",
        "nova-compute.service",
        "/var/tmp/packstack",
        "no package source is configured",
        "what is installed cannot be read",
        "http://127.0.0.1:9/simple",
        "CONFIG_PACKAGE_INDEX",
    ):
        assert fault.replace(" ", "") in told.replace("\n", "").replace(" ", ""), fault
    assert state.differences(before, state.everything(crooked.host)) == []


def test_put_right_by_the_printed_remedies_the_host_passes(crooked: Crooked) -> None:
    crooked.host.run("systemctl disable --now registry.service", check=True)
    for title in FAULTS:
        crooked.host.run(faults.of(crooked.host)[title].get("by_hand", "true"), check=True)
    fit = crooked.operator.run("preflight", f"--answer-file={crooked.answer_file}", "--set", "CONFIG_PACKAGE_INDEX=")
    assert fit.code == 0, fit.out + fit.err


@pytest.mark.shows("python-missing")
def test_a_host_without_python_is_told_apart_from_a_broken_one_and_install_brings_it(
    tmp_path_factory: pytest.TempPathFactory,
) -> None:
    home = tmp_path_factory.mktemp("home")
    lab.down([host.name for host in lab.hosts() if host.name == "t-bare"])
    host = on_platform.up_without_python("t-bare")
    try:
        values = {
            **lab.answers([host]),
            **IDENTITY_ONLY,
            "CONFIG_SSH_KEY": str(host.private_key),
            "CONFIG_SSL_CERT_DIR": str(home / "ca"),
        }
        answers.write(home / "cloud.txt", answers.generate((), values))
        operator = Operator(home)
        looked = operator.run("plan", f"--answer-file={home}/cloud.txt")
        assert looked.code == 3, looked.out + looked.err
        assert "there is no Python 3.9 or later" in looked.err
        assert host.run(["test", "-e", "/usr/bin/python3"]).returncode == 1
        refused = operator.run(
            "install", f"--answer-file={home}/cloud.txt", "--set", "CONFIG_PACKAGE_INDEX=http://127.0.0.1:9/"
        )
        assert refused.code == 3, refused.out + refused.err
        assert "http://127.0.0.1:9/" in refused.err
        assert host.run(["test", "-e", "/usr/bin/python3"]).returncode == 0
    finally:
        lab.down(["t-bare"])
