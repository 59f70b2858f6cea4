"""A cloud of a controller and two compute hosts, and later a third: instances, the traffic between them, what changes.

Database and queue are not on the controller but on the second compute host, volumes are kept by the first.
"""

from __future__ import annotations

import hashlib
import os
from collections import defaultdict
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
from openstack.connection import Connection

from installer import answers, lab
from installer.lab import LabHost
from tests.lab import on_platform
from tests.lab.command_line import Operator, Result, with_ssh_config
from tests.lab.conftest import SUDO_PASSWORD
from tests.lab.instances import Instance, Pinger, booted, connected
from tests.lab.sdk import QUIET

pytestmark = [pytest.mark.lab, pytest.mark.shows("three-hosts"), pytest.mark.long, pytest.mark.timeout(3600), QUIET]

CONTROLLER, FIRST, SECOND, NEW = "t-head", "t-compute-1", "t-compute-2", "t-compute-3"
MIB = 1 << 20
#: More than fits into the windows and queues between two ends, where packets that are too long would stay.
PAYLOAD = os.urandom(16 * MIB)
#: The largest packet of a Geneve network below 1500 bytes, without the headers of IP and ICMP.
PING_BYTES = 1442 - 20 - 8
#: Where units run that the answer file puts elsewhere than on the controller.
ELSEWHERE = {
    "mariadb.service": [SECOND],
    "rabbitmq-server.service": [SECOND],
    "openstack-cinder-volume.service": [FIRST],
    "openstack-nova-compute.service": [FIRST, SECOND],
    "openstack-neutron-ovn-agent.service": [FIRST, SECOND],
    "openstack-nova-api.service": [CONTROLLER],
}
#: What may be so already when a new host comes to it: HAProxy comes with an agent that needs the program, its unit is
#: kept off, and RPM's packages switch none on; the switch's database answers at once; a unit of Debian's writes the
#: host's name down, too.
COME_BY_THEMSELVES = ("unit:haproxy.service", "answering:ovsdb", "ovs-setting:external_ids:hostname")
#: Accounts whose files may be seen by several hosts.
ACCOUNTS = ("nova", "neutron", "cinder", "glance", "keystone")

Change = tuple[str, str]


@dataclass
class Several:
    """A cloud of several hosts.

    Args:
        operator: runs pystack.
        answer_file: what it is made of.
        hosts: by name.
    """

    operator: Operator
    answer_file: Path
    hosts: dict[str, LabHost] = field(default_factory=dict)

    @property
    def folder(self) -> Path:
        """Where pystack keeps what the cloud's users log in with."""
        return self.operator.home / ".config/pystack" / self.hosts[CONTROLLER].address

    def add(self, *names: str, **values: Any) -> None:
        """Make hosts, which the operator can log in to and knows by their keys."""
        self.hosts |= {host.name: host for host in lab.up(list(names), external=True, **values)}
        with_ssh_config(
            self.operator.home,
            {host.address: {"User": host.user, "IdentityFile": str(host.private_key)} for host in self.hosts.values()},
        )
        known = "".join(f"{host.address} {host.host_key}\n" for host in self.hosts.values())
        (self.operator.home / ".ssh/known_hosts").write_text(known)

    def told(self, verb: str, *words: str) -> Result:
        """Run pystack, and type the password of the one host that wants one."""
        command = (verb, f"--answer-file={self.answer_file}", *words)
        return self.operator.on_terminal(*command, answers={"assword": SUDO_PASSWORD}, timeout=2400)

    def run(self, verb: str, *words: str) -> Result:
        """Run pystack, which must end well."""
        done = self.told(verb, "--json", *words)
        assert done.code in ((0, 10) if verb == "plan" else (0,)), done.out[-6000:]
        return done

    def planned(self) -> set[Change]:
        """Return what an installation would change."""
        return self._named(event for event in self.run("plan").events if event["event"] == "change")

    def installed(self, *words: str) -> set[Change]:
        """Install, and return what that has changed."""
        events = self.run("install", *words).events
        return self._named(event for event in events if event["event"] == "resource" and event["what"] == "changed")

    def _named(self, events: Iterator[dict[str, Any]]) -> set[Change]:
        names = {host.address: name for name, host in self.hosts.items()}
        return {(names[event["host"]], event["resource"]) for event in events}


@pytest.fixture(scope="module")
def cloud(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Several]:
    if os.geteuid() != 0:
        pytest.skip("making lab hosts needs root")
    everyone = (CONTROLLER, FIRST, SECOND, NEW)
    lab.down([host.name for host in lab.hosts() if host.name in everyone])
    home = tmp_path_factory.mktemp("home")
    made = Several(Operator(home), home / "cloud.txt")
    try:
        made.add(CONTROLLER, FIRST)
        made.add(SECOND, sudo_user="operator", sudo_password=SUDO_PASSWORD)
        values = on_platform.answers(list(made.hosts.values()))
        del values["CONFIG_SSH_HOST_KEYS"]
        values |= {
            "CONFIG_STORAGE_HOST": made.hosts[FIRST].address,
            "CONFIG_MARIADB_HOST": made.hosts[SECOND].address,
            "CONFIG_AMQP_HOST": made.hosts[SECOND].address,
            "CONFIG_HORIZON_INSTALL": "n",
            # Here they are started on hosts that the tests choose.
            "CONFIG_VERIFY_INSTANCES": "n",
            "CONFIG_SSL_CERT_DIR": str(home / "ca"),
        }
        answers.write(made.answer_file, answers.generate((), values))
        if "drops what instances send to other hosts" in " ".join(made.told("preflight").out.split()):
            pytest.skip(
                "this machine's kernel has no module of Open vSwitch, and the platform's does not tunnel without"
            )
        made.installed()
        yield made
    finally:
        lab.down([host.name for host in lab.hosts() if host.name in everyone])


@pytest.fixture(scope="module")
def admin(cloud: Several) -> Iterator[Connection]:
    """The administrator in the demo user's project: only he may say which host an instance starts on."""
    with connected(cloud.folder, "pystack") as connection:
        connection.grant_role("admin", user=str(connection.current_user_id), project="demo")
        with connection.connect_as_project("demo") as within:
            public_key = (cloud.folder / "demo_key.pub").read_text().strip()
            within.compute.create_keypair(name="demo", public_key=public_key)
            yield within


@pytest.fixture(scope="module")
def boot(cloud: Several, admin: Connection) -> Iterator[Callable[[str], Instance]]:
    """Start an instance on a host, or return the one that is there."""
    with ExitStack() as stack:
        there: dict[str, Instance] = {}

        def boot(host: str) -> Instance:
            if host not in there:
                instance = booted(admin, cloud.folder, f"on-{host}", availability_zone=f"nova:{host}")
                there[host] = stack.enter_context(instance)
            return there[host]

        yield boot


def fixed_address(admin: Connection, instance: Instance) -> str:
    (port,) = admin.network.ports(device_id=instance.id)
    return str(port.fixed_ips[0]["ip_address"])


def reaches(admin: Connection, one: Instance, other: Instance) -> None:
    """Assert that one instance gets at another's address in their network whole packets and much data."""
    address, digest = fixed_address(admin, other), hashlib.md5(PAYLOAD).hexdigest()
    # The first packet through a new tunnel is lost: the switch asks for the other end's hardware address.
    one.run(f"ping -c 1 -W 5 {address}")
    pinged = one.run(f"ping -c 3 -s {PING_BYTES} {address}")
    assert " 0% packet loss" in pinged.stdout, pinged.stdout
    other.send(PAYLOAD, "/srv/payload")
    served = other.run("netstat -ltn | grep -q ':8000 ' || httpd -p 8000 -h /srv")
    assert served.returncode == 0, served.stderr
    got = one.run(f"wget -q -O - http://{address}:8000/payload | md5sum", timeout=120)
    assert got.stdout.split()[:1] == [digest], got.stdout + got.stderr


def test_every_unit_runs_where_the_answer_file_puts_it(cloud: Several) -> None:
    running = defaultdict(list)
    for name, host in cloud.hosts.items():
        said = host.run(["systemctl", "is-active", *ELSEWHERE]).stdout.split()
        for unit, state in zip(ELSEWHERE, said, strict=True):
            if state == "active":
                running[unit].append(name)
    assert running == ELSEWHERE


@pytest.mark.shows("instances", "floating-addresses")
def test_instances_on_two_hosts_reach_each_other_and_are_reached_from_outside(
    admin: Connection, boot: Callable[[str], Instance]
) -> None:
    one, other = boot(FIRST), boot(SECOND)
    assert [admin.compute.get_server(instance.id).compute_host for instance in (one, other)] == [FIRST, SECOND]
    reaches(admin, one, other)
    reaches(admin, other, one)


def test_one_more_compute_host_is_one_more_address_and_changes_nothing_else_but_the_cell(
    cloud: Several, admin: Connection, boot: Callable[[str], Instance]
) -> None:
    assert cloud.planned() == set()
    cloud.add(NEW)
    text, computes = cloud.answer_file.read_text(), [cloud.hosts[name].address for name in (FIRST, SECOND, NEW)]
    before, after = (f"CONFIG_COMPUTE_HOSTS={','.join(addresses)}\n" for addresses in (computes[:2], computes))
    assert before in text
    cloud.answer_file.write_text(text.replace(before, after))
    planned = cloud.planned()
    assert {change for change in planned if change[0] != NEW} == {(CONTROLLER, f"compute-host:{NEW}")}
    pinger = Pinger(boot(FIRST).address)
    pinger.start()
    changed = cloud.installed()
    assert pinger.stop() == 0
    assert changed <= planned
    assert planned - changed <= {(NEW, resource) for resource in COME_BY_THEMSELVES}
    assert cloud.planned() == set()
    new = boot(NEW)
    assert admin.compute.get_server(new.id).compute_host == NEW
    for host in (FIRST, SECOND):
        reaches(admin, new, boot(host))
        reaches(admin, boot(host), new)


def test_accounts_of_services_have_the_same_numbers_on_all_hosts(cloud: Several) -> None:
    numbers = defaultdict(set)
    hosts = defaultdict(set)
    for name, host in cloud.hosts.items():
        for line in host.run(["getent", "passwd", *ACCOUNTS]).stdout.splitlines():
            account, _, uid, gid, *_ = line.split(":")
            numbers[account].add((uid, gid))
            hosts[account].add(name)
    assert set(numbers) == set(ACCOUNTS)
    assert hosts["nova"] == hosts["neutron"] == set(cloud.hosts)
    assert {account for account, found in numbers.items() if len(found) > 1} == set()


def test_a_run_limited_to_one_host_changes_that_one_only(cloud: Several) -> None:
    path = "/etc/nova/nova-compute.conf"
    for name in (FIRST, NEW):
        cloud.hosts[name].run(["chmod", "600", path], check=True)
    differing = {(name, f"file:{path}") for name in (FIRST, NEW)}
    assert differing <= cloud.planned()
    limited = cloud.installed("--limit", cloud.hosts[NEW].address)
    assert {name for name, _ in limited} == {NEW}
    assert (FIRST, f"file:{path}") in cloud.installed()
    # The second run.
    assert cloud.installed() == set()
