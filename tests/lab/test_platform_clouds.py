"""The whole cloud on the platforms beside Debian 13: Debian 12, and Enterprise Linux and Fedora as the lab has them."""

from __future__ import annotations

import os
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from installer import answers, lab
from installer.lab import LabHost, PlatformNotPossible, bases
from installer.platforms import facts, find
from installer.resources import dnf_history
from tests.lab import on_platform
from tests.lab.command_line import Operator, Result
from tests.matrix.recording import Measured

pytestmark = [
    pytest.mark.lab,
    pytest.mark.shows("whole-cloud"),
    pytest.mark.timeout(2400),
]

#: As EL's and Fedora's packages and pystack number them.
NUMBERS = {"mysql": 27, "qemu": 107, "rpc": 32, "rpcuser": 29, "keystone": 163, "nova": 162, "glance": 161}
REPOSITORIES = {
    "el-9": {"appstream", "crb", "centos-rabbitmq", "centos-nfv-openvswitch"},
    "el-10": {"appstream", "crb", "centos-rabbitmq", "centos-nfv-openvswitch"},
    "fedora-43": {"appstream"},
}
#: Packages that have the interpreter of OpenStack.
INTERPRETERS = {"debian-12": "python3.11-minimal", "el-9": "python3.12", "el-10": "python3", "fedora-43": "python3.13"}
#: The one of a stand-in of Fedora is Debian's own, which no RPM has.
ON_STAND_INS = {"el-9": "python3.12", "el-10": "python3.12", "fedora-43": ""}

#: One of RPM is in every run; the others take as long again.
RPM = [pytest.param(name, marks=() if name == "fedora-43" else pytest.mark.long) for name in REPOSITORIES]
everywhere = pytest.mark.parametrize(
    "cloud", [pytest.param("debian-12", marks=pytest.mark.long), *RPM], indirect=True, scope="module"
)
on_rpm = pytest.mark.parametrize("cloud", RPM, indirect=True, scope="module")


@dataclass
class Cloud:
    """A whole cloud on one host."""

    host: LabHost
    operator: Operator
    answer_file: Path
    first: Result

    def run(self, verb: str, *words: str) -> Result:
        return self.operator.run(verb, f"--answer-file={self.answer_file}", "--json", *words, timeout=1200)

    def said(self, command: str) -> str:
        return self.host.run(command, check=True).stdout.strip()


@pytest.fixture(scope="module")
def cloud(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory, measured: Measured
) -> Iterator[Cloud]:
    if os.geteuid() != 0:
        pytest.skip("making lab hosts needs root")
    name = f"t-{request.param}"
    lab.down([host.name for host in lab.hosts() if host.name == name])
    try:
        (host,) = lab.up([name], request.param, external=True)
    except PlatformNotPossible as refused:
        pytest.skip(str(refused))
    try:
        yield installed(host, tmp_path_factory.mktemp("home"), measured)
    finally:
        lab.down([name])


def installed(host: LabHost, home: Path, measured: Measured) -> Cloud:
    """Install the whole cloud on a host."""
    values = {
        **on_platform.answers([host]),
        "CONFIG_VERIFY_INSTANCES": "n",
        "CONFIG_SSH_KEY": str(host.private_key),
        "CONFIG_SSL_CERT_DIR": str(home / "ca"),
    }
    answers.write(home / "cloud.txt", answers.generate((), values))
    operator = Operator(home)
    done = operator.run("install", f"--answer-file={home}/cloud.txt", "--json", timeout=1800)
    assert done.code == 0, (done.out + done.err)[-6000:]
    measured(host.platform, "whole-cloud", fresh_seconds=done.seconds)
    return Cloud(host, operator, home / "cloud.txt", done)


@on_rpm
def test_it_is_a_host_of_rpm_and_nothing_else(cloud: Cloud) -> None:
    assert cloud.host.run("command -v apt-get || command -v dpkg").returncode != 0
    assert cloud.said("rpm -q --qf '%{NAME}' mariadb-server") == "mariadb-server"


@on_rpm
def test_package_sources_are_enabled(cloud: Cloud) -> None:
    enabled = {line.split()[0] for line in cloud.said("dnf -q repolist").splitlines()[1:]}
    assert enabled == REPOSITORIES[cloud.host.platform]


@on_rpm
def test_one_transaction_brings_package_sources_and_python_and_one_more_the_infrastructure(cloud: Cloud) -> None:
    first, *others = own_transactions(cloud.host)
    base = facts(find(cloud.host.platform), "base")
    assert {*base["sources"], *base["python"]} <= first
    assert len(others) == 1, [sorted(brought) for brought in others]
    assert {"mariadb-server", "rabbitmq-server", "haproxy", "memcached", "qemu-kvm", "lvm2"} <= others[0]


def own_transactions(host: LabHost) -> list[set[str]]:
    """Return the names of what each transaction of dnf brought that pystack began, in their order."""
    found = []
    for records in dnf_history.RECORDS:
        path = str(host.root / records.path.lstrip("/"))
        for number, comment in dnf_history._ask(path, "SELECT id, comment FROM trans ORDER BY id"):
            if comment == dnf_history.OWN:
                rows = dnf_history._ask(path, records.packages, (number,))
                found.append({row[1] for row in rows if row[0] in records.forward})
    return found


@everywhere
def test_services_run_with_the_python_of_a_package_of_the_platform(cloud: Cloud) -> None:
    (python,) = set(cloud.said("readlink -f /opt/pystack/20*/bin/python").split())
    assert python == facts(find(cloud.host.platform), "openstack")["python"]
    of = "rpm -qf --qf '%{NAME}'" if on_platform.of_rpm(cloud.host) else "dpkg-query -S"
    asked = cloud.host.run(f"{of} {python}")
    owner = "" if asked.returncode else asked.stdout.partition(":")[0]
    assert owner == (ON_STAND_INS if cloud.host.made_from == bases.STAND_IN else INTERPRETERS)[cloud.host.platform]


@on_rpm
def test_accounts_have_the_numbers_of_the_platform(cloud: Cloud) -> None:
    wanted = NUMBERS
    found = {name: int(cloud.said(f"id -u {name}")) for name in wanted}
    assert found == wanted


@on_rpm
def test_services_of_the_platform_run_and_start_at_boot(cloud: Cloud) -> None:
    units = "mariadb rabbitmq-server memcached haproxy openvswitch ovn-northd ovn-controller virtqemud.socket"
    assert set(cloud.said(f"systemctl is-active {units}").split()) == {"active"}
    assert set(cloud.said(f"systemctl is-enabled {units}").split()) == {"enabled"}


@everywhere
@pytest.mark.shows("second-run")
def test_a_second_run_changes_nothing(cloud: Cloud, measured: Measured) -> None:
    again = cloud.run("install")
    totals = again.event("summary")
    assert (again.code, totals["changed"]) == (0, 0), again.out[-3000:]
    measured(cloud.host.platform, "whole-cloud", rerun_seconds=again.seconds, resources=totals["unchanged"])


@everywhere
@pytest.mark.shows("identity", "images", "instances", "floating-addresses", "volumes-nfs", "dashboard", "verify")
def test_instances_are_reached_by_ssh_and_volumes_keep_their_data(cloud: Cloud) -> None:
    done = cloud.run("verify", "--set", "CONFIG_VERIFY_INSTANCES=y")
    verdicts = [event for event in done.events if event["event"] == "verdict"]
    assert done.code == 0, (done.out + done.err)[-4000:]
    good = {event["check"] for event in verdicts if event["outcome"] == "success"}
    assert {"instance", "attached-volume", "volume-boot"} <= good, verdicts


@everywhere
@pytest.mark.shows("reboot")
def test_after_a_reboot_everything_comes_back(cloud: Cloud) -> None:
    cloud.host.reboot()
    deadline = time.monotonic() + 400
    good = 0
    # Its services load for a while, and load the host: it has settled once all of them answer twice.
    while good < 2 and time.monotonic() < deadline:
        code = cloud.run("verify", "--only", "login,endpoints,compute,network,volume").code
        good = 0 if code else good + 1
        time.sleep(20)
    done = cloud.run("verify")
    assert done.code == 0, (done.out + done.err)[-4000:]
    planned = cloud.run("plan")
    assert [event for event in planned.events if event["event"] == "change"] == []
