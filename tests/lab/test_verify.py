"""`pystack verify` on the whole cloud: that all works, what does not, and that it leaves nothing behind."""

from __future__ import annotations

import re
import shlex
import signal
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager

import pytest
from openstack.connection import Connection

from installer.verify import CHECKS
from installer.verify.names import PREFIX
from tests.lab.command_line import Result
from tests.lab.conftest import AllInOne
from tests.lab.instances import connected
from tests.lab.sdk import QUIET

pytestmark = [
    pytest.mark.lab,
    pytest.mark.shows("verify"),
    pytest.mark.timeout(2400),
    QUIET,
]

#: Seconds after which Neutron calls an agent dead that says nothing (agent_down_time is 75), and some.
DEAD_AFTER = 180
AGENT = "openstack-neutron-ovn-agent"


@pytest.fixture
def admin(all_in_one: AllInOne) -> Iterator[Connection]:
    with connected(all_in_one.clouds.parent, "pystack") as connection:
        yield connection


@pytest.fixture(autouse=True)
def _nothing_is_left(admin: Connection) -> Iterator[None]:
    """Whatever a test does, verify has nothing in the cloud afterwards."""
    yield
    assert remains(admin) == []


def verify(cloud: AllInOne, *words: str) -> Result:
    return cloud.operator.run("verify", f"--answer-file={cloud.answer_file}", *words)


def verdicts(result: Result) -> dict[str, set[str]]:
    """Return the outcomes of each check."""
    found: dict[str, set[str]] = {}
    for event in result.events:
        if event["event"] == "verdict":
            found.setdefault(event["check"], set()).add(event["outcome"])
    return found


def remains(admin: Connection) -> list[str]:
    """Return what verify made and did not remove: by name, and security groups of projects that are gone."""
    network = admin.network
    keys = [key for user in admin.identity.users() for key in admin.compute.keypairs(user_id=user.id)]
    kinds = {
        "server": admin.compute.servers(all_projects=True),
        "volume": admin.block_storage.volumes(all_projects=True),
        "flavor": admin.compute.flavors(is_public=None),
        "key pair": keys,
        "network": network.networks(),
        "subnet": network.subnets(),
        "router": network.routers(),
    }
    found = [f"{kind} {one.name}" for kind, things in kinds.items() for one in things if one.name.startswith(PREFIX)]
    found += [f"address {one.description}" for one in network.ips() if one.description.startswith(PREFIX)]
    groups = list(network.security_groups())
    projects = {project.id: project.name for project in admin.identity.projects()}
    found += [f"project {name}" for name in projects.values() if name.startswith(PREFIX)]
    return found + [f"security group of {one.project_id}" for one in groups if one.project_id not in projects]


def own_servers(admin: Connection) -> list[str]:
    return [one.name for one in admin.compute.servers(all_projects=True) if one.name.startswith(PREFIX)]


def begin(cloud: AllInOne, admin: Connection, *words: str) -> subprocess.Popen[bytes]:
    """Start verify and return when it has started an instance."""
    before = own_servers(admin)
    process = cloud.operator.start("verify", f"--answer-file={cloud.answer_file}", *words)
    deadline = time.monotonic() + 120
    while set(own_servers(admin)) <= set(before):
        assert time.monotonic() < deadline
        assert process.poll() is None
        time.sleep(0.2)
    return process


@pytest.mark.shows("instances", "floating-addresses", "volumes-nfs", "images", "identity")
def test_all_works_and_every_check_says_so(all_in_one: AllInOne) -> None:
    done = verify(all_in_one, "--json")
    assert done.code == 0, done.out[-4000:]
    left_out = {"orchestration": {"skipped"}, "denials": {"skipped"}}
    wanted = {name: {"success"} for name in [*(check.name for check in CHECKS), "removal"]}
    assert verdicts(done) == wanted | left_out
    told = [event["text"] for event in done.events if event["event"] == "progress"]
    assert any(re.match(r"waiting for instance to boot .*: \d+ s", text) for text in told)
    assert PREFIX not in "".join(event["found"] for event in done.events if event["event"] == "verdict")


def test_only_the_checks_that_are_named_are_made(all_in_one: AllInOne) -> None:
    done = verify(all_in_one, "--json", "--only", "login", "--only=compute,volume")
    assert done.code == 0, done.out[-4000:]
    assert set(verdicts(done)) == {"login", "compute", "volume"}


def test_what_is_not_installed_is_left_out(all_in_one: AllInOne) -> None:
    done = verify(all_in_one, "--set", "CONFIG_CINDER_INSTALL=n", "--only", "volume,attached-volume,volume-boot")
    assert done.code == 0, done.out[-4000:]
    assert "0 failed, 0 warnings, 0 good, 3 left out" in done.out
    assert "CONFIG_CINDER_INSTALL=n" in done.out


@pytest.mark.long
def test_an_agent_that_is_stopped_is_named_with_its_host_and_what_to_do(all_in_one: AllInOne) -> None:
    host = all_in_one.controller
    host.run(["systemctl", "stop", AGENT], check=True)
    try:
        deadline = time.monotonic() + DEAD_AFTER
        while (done := verify(all_in_one, "--only", "network")).code == 0:
            assert time.monotonic() < deadline, done.out
    finally:
        host.run(["systemctl", "start", AGENT], check=True)
    assert done.code == 6
    name = host.run(["hostname"]).stdout.strip()
    assert f"network agent OVN Neutron agent on {name}" in done.err
    said = " ".join(done.err.split())
    assert re.search(r"down; it said last that it lives at 20\d\d-\d\d-\d\d \d\d:\d\d:\d\d", said)
    assert f"systemctl status {AGENT}" in said
    # One that was started again is waited for.
    back = verify(all_in_one, "--only", "network")
    assert back.code == 0, back.out


@pytest.mark.long
def test_an_endpoint_that_does_not_answer_fails_and_keeps_no_other_check_from_being_made(all_in_one: AllInOne) -> None:
    unit = "openstack-glance-api"
    all_in_one.controller.run(["systemctl", "stop", unit], check=True)
    try:
        done = verify(all_in_one, "--json", "--only", "endpoints,compute,instance")
    finally:
        all_in_one.controller.run(["systemctl", "start", unit], check=True)
    assert done.code == 6
    found = verdicts(done)
    assert (found["endpoints"], found["compute"], found["instance"]) == ({"success", "fail"}, {"success"}, {"fail"})
    failed = [event["title"] for event in done.events if event["event"] == "verdict" and event["outcome"] == "fail"]
    assert f"endpoint https://{all_in_one.controller.address}:9292" in failed


@pytest.mark.long
@pytest.mark.parametrize("end", [signal.SIGINT, signal.SIGTERM], ids=["Ctrl-C", "SIGTERM"])
def test_what_it_made_is_removed_after(end: signal.Signals, all_in_one: AllInOne, admin: Connection) -> None:
    process = begin(all_in_one, admin, "--only", "attached-volume")
    process.send_signal(end)
    assert process.wait(300) == 130


@pytest.mark.long
def test_what_a_killed_one_left_behind_is_removed_by_the_next(all_in_one: AllInOne, admin: Connection) -> None:
    process = begin(all_in_one, admin, "--only", "volume-boot")
    process.kill()
    process.wait()
    assert own_servers(admin)
    done = verify(all_in_one, "--only", "instance")
    assert done.code == 0, done.out[-4000:]
    assert re.search(r"an earlier verify left behind is removed: 1 instance, .*1 volume", done.out), done.out


@pytest.mark.shows("instances", "floating-addresses")
def test_what_is_kept_can_be_logged_in_to_until_the_next(all_in_one: AllInOne, admin: Connection) -> None:
    done = verify(all_in_one, "--only", "instance", "--keep")
    assert done.code == 0, done.out[-4000:]
    [login] = re.findall(r"ssh -i \S+ \S+@[\d.]+", done.out)
    options = "-F none -o StrictHostKeyChecking=no -o UserKnownHostsFile=/dev/null -o LogLevel=ERROR"
    inside = subprocess.run(
        [*shlex.split(f"{login} {options}"), "hostname"], capture_output=True, text=True, check=False, timeout=60
    )
    assert inside.stdout.strip().removesuffix(".novalocal") in own_servers(admin), inside.stderr
    assert verify(all_in_one, "--only", "instance").code == 0


@pytest.mark.long
def test_without_demonstration_content_it_makes_a_project_and_a_network_of_its_own(all_in_one: AllInOne) -> None:
    done = verify(all_in_one, "--set", "CONFIG_PROVISION_DEMO=n", "--only", "instance")
    assert done.code == 0, done.out[-4000:]
    assert "1 router, 1 network, 1 security group, 1 project" in done.out


@contextmanager
def far_away(cloud: AllInOne) -> Iterator[list[str]]:
    """Yield the beginning of a command line: from there the hosts are reached, and the floating addresses are not."""
    subnet = f"{cloud.controller.address.rpartition('.')[0]}.0/24"
    name, near, far = "t-far", "169.254.77.1", "169.254.77.2"
    commands = (
        f"ip netns add {name}",
        f"ip link add t-far0 type veth peer name t-far1 netns {name}",
        f"ip address add {near}/30 dev t-far0",
        "ip link set t-far0 up",
        f"ip -n {name} address add {far}/30 dev t-far1",
        f"ip -n {name} link set t-far1 up",
        f"ip -n {name} route add {subnet} via {near}",
    )
    try:
        for command in commands:
            subprocess.run(shlex.split(command), check=True)
        yield ["ip", "netns", "exec", name]
    finally:
        subprocess.run(["ip", "netns", "delete", name], check=False)


@pytest.mark.shows("floating-addresses")
@pytest.mark.long
def test_a_machine_without_a_route_to_the_floating_addresses_goes_through_the_network_host_and_says_so(
    all_in_one: AllInOne,
) -> None:
    operator = all_in_one.operator
    words = [str(operator.program), "verify", f"--answer-file={all_in_one.answer_file}", "--only", "instance"]
    with far_away(all_in_one) as there:
        done = subprocess.run(
            [*there, *words],
            env=operator.env(),
            capture_output=True,
            text=True,
            check=False,
            timeout=900,
            stdin=subprocess.DEVNULL,
        )
    assert done.returncode == 0, done.stdout[-4000:]
    assert f"through {all_in_one.controller.address} it is reached" in done.stdout
    assert "ip route add" in done.stdout
