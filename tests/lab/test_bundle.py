"""Sites without a way to the package index, and hosts that share what one machine fetched."""

from __future__ import annotations

import os
import shutil
import socket
from collections.abc import Iterator
from pathlib import Path

import pytest

from installer import answers, lab
from installer.lab import LabHost
from installer.own_index import default_index
from installer.platforms import facts, find
from tests.lab.bundles import manifest
from tests.lab.command_line import Operator, with_ssh_config
from tests.lab.identity_only import IDENTITY_ONLY
from tests.package_index import PackageIndex

pytestmark = [pytest.mark.lab, pytest.mark.long, pytest.mark.timeout(2400)]

NAMES = ("t-bundle-one", "t-bundle-two")


@pytest.fixture
def hosts(request: pytest.FixtureRequest) -> Iterator[list[LabHost]]:
    if os.geteuid() != 0:
        pytest.skip("making lab hosts needs root")
    lab.down([host.name for host in lab.hosts() if host.name in NAMES])
    yield lab.up(list(NAMES[: request.param]))
    lab.down(list(NAMES[: request.param]))


def operator_of(hosts: list[LabHost], home: Path, index: PackageIndex) -> Operator:
    """Return an operator with an answer file for some hosts, whose package index is the test's."""
    values = {
        **lab.answers(hosts),
        **IDENTITY_ONLY,
        "CONFIG_SSL_CERT_DIR": str(home / "ca"),
        "CONFIG_PACKAGE_INDEX": index.url,
    }
    answers.write(home / "cloud.txt", answers.generate((), values))
    return with_ssh_config(
        home, {host.address: {"User": "root", "IdentityFile": str(host.private_key)} for host in hosts}
    )


def own_address(host: LabHost) -> str:
    """Return the address of this machine that a lab host reaches it by."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as asking:
        asking.connect((host.address, 9))
        return str(asking.getsockname()[0])


@pytest.mark.shows("offline-bundle", "identity", "second-run")
@pytest.mark.parametrize("hosts", [1], indirect=True)
def test_a_host_without_an_index_is_installed_from_a_bundle(hosts: list[LabHost], tmp_path: Path) -> None:
    index = PackageIndex(own_address(hosts[0]), upstream=str(default_index()))
    with index:
        operator = operator_of(hosts, tmp_path, index)
        file, bundle = f"--answer-file={tmp_path}/cloud.txt", f"{tmp_path}/cloud.tar"
        made = operator.run("bundle", file, "--output", bundle, "--json", timeout=1200)
        assert made.code == 0, made.out[-3000:] + made.err[-3000:]
        assert index.asked
        assert set(index.asked.values()) == {1}
        assert hosts[0].address not in index.askers, "the host downloads nothing for it"
        index.asked.clear()
        again = operator.run("bundle", file, "--output", bundle, "--json", timeout=1200)
        assert again.code == 0, again.out[-3000:] + again.err[-3000:]
        assert not index.asked, "what the bundle has is used again"
    told = manifest(Path(bundle))
    (platform,) = told["platforms"]
    assert (platform["name"], platform["lacks"]) == (hosts[0].platform, "")
    assert {"mariadb-server", "rabbitmq-server"} <= {item["name"] for item in platform["packages"]}
    assert all(item["member"] in told["members"] for item in platform["packages"])

    # The index is gone now, and nothing is kept of it but the bundle.
    shutil.rmtree(tmp_path / ".cache/pystack")
    refused = operator.run("preflight", file, "--json")
    assert refused.code == 3, refused.out[-3000:]
    other = operator.run("install", file, f"--bundle={bundle}", "--set", "CONFIG_OPENSTACK_RELEASE=2026.1", "--json")
    assert other.code == 3, other.out[-3000:]
    python = str(facts(find(hosts[0].platform), "openstack")["python"]).removeprefix("/usr/bin/python")
    assert f"does not have 2026.1 for Python {python} " in other.out
    first = operator.run("install", file, f"--bundle={bundle}", "--json", timeout=1800)
    assert first.code == 0, first.out[-3000:] + first.err[-3000:]
    second = operator.run("install", file, f"--bundle={bundle}", "--json")
    assert second.code == 0, second.out[-3000:] + second.err[-3000:]
    assert second.event("summary")["changed"] == 0


@pytest.mark.shows("identity")
@pytest.mark.parametrize("hosts", [2], indirect=True)
def test_two_hosts_have_the_index_asked_once_for_each_wheel(hosts: list[LabHost], tmp_path: Path) -> None:
    with PackageIndex(own_address(hosts[0]), upstream=str(default_index())) as index:
        operator = operator_of(hosts, tmp_path, index)
        done = operator.run("install", f"--answer-file={tmp_path}/cloud.txt", "--json", timeout=1800)
        assert done.code == 0, done.out[-3000:] + done.err[-3000:]
        made = {
            event["host"]
            for event in done.events
            if event["event"] == "resource" and event["resource"].startswith("virtual-environment:")
        }
        assert made == {host.address for host in hosts}
        assert len(index.asked) > 100
        assert set(index.asked.values()) == {1}
