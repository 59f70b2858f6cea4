"""Hosts whose users come from NIS: who has accounts' names and numbers is found before anything is changed, and worked
around on request."""

from __future__ import annotations

import os
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from installer import answers, lab
from installer.accounts import POOL
from installer.cloud import CloudHost
from installer.lab import LabHost, fleet
from installer.platforms import find
from installer.roles import all_roles
from tests.lab import on_platform, state
from tests.lab.command_line import Operator, Result

pytestmark = [pytest.mark.lab, pytest.mark.shows("nis"), pytest.mark.long, pytest.mark.timeout(2400)]

NIS, CONTROLLER, COMPUTE = "t-nis", "t-member", "t-second"
DOMAIN = "labnis"
MAPS = "/etc/nis-maps"
#: MariaDB's number on EL, and those of five services; the names of a service and of a package's account.
PEOPLE = {"mysam": 27, "person1": 161, "person2": 162, "kstone": 163, "person4": 164, "person5": 165}
NAMESAKES = {"nova": 5001, "mysql": 5002}
USERS = PEOPLE | NAMESAKES
#: What a member of the domain is made with: packages, and the file that tells the domain. RHEL has left NIS behind.
MEMBER = {
    "apt": (("rpcbind", "yp-tools", "ypbind-mt", "libnss-nis"), "/etc/defaultdomain", DOMAIN),
    "dnf": (("ypbind", "yp-tools"), "/etc/sysconfig/network", f"NISDOMAIN={DOMAIN}"),
}
WITHOUT_NIS = ("el-9", "el-10")
#: What is told of the database's account: its package insists on a number on Fedora.
DATABASE = {
    "apt": ("mysql mysql (5002) nis the service would run as nis's mysql",),
    "dnf": (
        "mysql (27) mysam (27) nis the package mariadb-server fails",
        "mysql (27) mysql (5002) nis the service would run as nis's mysql",
    ),
}
#: Accounts that packages bring and nobody's service has.
FURTHER = {"apt": {"uuidd"}, "dnf": {"uuidd", "_rpc", "libvirt-qemu"}}
SETTINGS = {
    "^MINUID=.*": "MINUID=1",
    "^MINGID=.*": "MINGID=1",
    "^MERGE_PASSWD=.*": "MERGE_PASSWD=false",
    "^MERGE_GROUP=.*": "MERGE_GROUP=false",
    "^PASSWD .*=.*": f"PASSWD = {MAPS}/passwd",
    "^GROUP .*=.*": f"GROUP = {MAPS}/group",
    "^YPPWDDIR.*": f"YPPWDDIR = {MAPS}",
    "^all:.*": "all: passwd group",
}
#: Whose account runs a unit, and on which hosts.
UNITS = {
    "openstack-nova-scheduler.service": ("nova", (CONTROLLER,)),
    "openstack-nova-compute.service": ("nova", (COMPUTE,)),
    "openstack-neutron-ovn-agent.service": ("neutron", (COMPUTE,)),
    "openstack-keystone.service": ("keystone", (CONTROLLER,)),
    "mariadb.service": ("mysql", (CONTROLLER,)),
}


@dataclass
class Domain:
    """A NIS domain: its server, two hosts that take their users from it, and an operator who installs on these."""

    server: LabHost
    hosts: dict[str, LabHost]
    operator: Operator
    answer_file: Path

    def run(self, verb: str, *words: str) -> Result:
        return self.operator.run(verb, f"--answer-file={self.answer_file}", *words, timeout=1800)

    def numbers(self, name: str, *accounts: str) -> dict[str, tuple[int, int]]:
        """Return uid and gid of accounts as a host's name service sees them."""
        lines = self.hosts[name].run(["getent", "passwd", *accounts]).stdout.splitlines()
        rows = [line.split(":") for line in lines]
        return {row[0]: (int(row[2]), int(row[3])) for row in rows}


def make_server(server: LabHost) -> None:
    server.run(["tee", "/etc/defaultdomain"], stdin=f"{DOMAIN}\n", check=True)
    on_platform.add_packages(server, "rpcbind", "yp-tools", "ypserv", "make")
    server.run(["domainname", DOMAIN], check=True)
    settings = "; ".join(f"s|{old}|{new}|" for old, new in SETTINGS.items())
    server.run(f"mkdir -p {MAPS}; sed -i '{settings}' /var/yp/Makefile", check=True)
    passwd = "".join(f"{name}:x:{number}:{number}:of NIS:/home/{name}:/bin/sh\n" for name, number in USERS.items())
    server.run(["tee", f"{MAPS}/passwd"], stdin=passwd, check=True)
    groups = "".join(f"{name}:x:{number}:\n" for name, number in USERS.items())
    server.run(["tee", f"{MAPS}/group"], stdin=groups, check=True)
    server.run(f"systemctl restart ypserv && cd /var/yp && make DOMAIN={DOMAIN} NOPUSH=true", check=True)


def make_member(machine: LabHost, server: LabHost) -> None:
    packages, file, line = MEMBER[on_platform.package_manager(machine)]
    on_platform.add_packages(machine, *packages)
    machine.run(f"echo '{line}' >> {file}; domainname {DOMAIN}", check=True)
    machine.run(["tee", "/etc/yp.conf"], stdin=f"domain {DOMAIN} server {server.address}\n", check=True)
    machine.run("sed -Ei 's/^(passwd|group):.*/\\1: files nis/' /etc/nsswitch.conf", check=True)
    machine.run("systemctl enable --quiet rpcbind ypbind; systemctl restart rpcbind ypbind", check=True)
    assert machine.run(["getent", "passwd", "nova"]).stdout.startswith("nova:x:5001:")


@pytest.fixture(scope="module")
def domain(tmp_path_factory: pytest.TempPathFactory, request: pytest.FixtureRequest) -> Iterator[Domain]:
    if os.geteuid() != 0:
        pytest.skip("making lab hosts needs root")
    if request.config.getoption("--platform") in WITHOUT_NIS:
        pytest.skip("EL 9 and later have no NIS: what asks for its users, SSSD among them, is shown on Fedora")
    home = tmp_path_factory.mktemp("home")
    names = (NIS, CONTROLLER, COMPUTE)
    lab.down([host.name for host in lab.hosts() if host.name in names])
    # Not by lab.up, which is watched: nothing is shown of the server's platform.
    (server,), members = fleet.up([NIS], "debian-13"), lab.up([CONTROLLER, COMPUTE], external=True)
    make_server(server)
    for machine in members:
        make_member(machine, server)
    values = {
        **on_platform.answers(members),
        "CONFIG_CINDER_INSTALL": "n",
        "CONFIG_HORIZON_INSTALL": "n",
        "CONFIG_VERIFY_INSTANCES": "n",
        "CONFIG_SSH_KEY": str(server.private_key),
        "CONFIG_SSL_CERT_DIR": str(home / "ca"),
    }
    answers.write(home / "cloud.txt", answers.generate((), values))
    yield Domain(server, {host.name: host for host in members}, Operator(home), home / "cloud.txt")
    lab.down(list(names))


def test_who_is_in_the_way_is_named_in_a_table_and_nothing_is_changed(domain: Domain) -> None:
    before = {name: state.everything(host) for name, host in domain.hosts.items()}
    done = domain.run("install")
    assert done.code == 3, done.out + done.err
    told = [" ".join(line.split()) for line in (done.out + done.err).splitlines()]
    here = domain.hosts[CONTROLLER].address
    for row in (
        f"| {here} keystone (163) kstone (163) nis the account would get another number",
        f"| {here} nova (162) nova (5001) nis the service would run as nis's nova",
        *(f"| {here} {row}" for row in DATABASE[on_platform.package_manager(domain.hosts[CONTROLLER])]),
        f"| {domain.hosts[COMPUTE].address} neutron (164) person4 (164) nis the account would get another number",
    ):
        assert row in told, "\n".join(told)
    assert "CONFIG_UID_CONFLICTS=relocate" in done.out + done.err
    for name, host in domain.hosts.items():
        assert state.differences(before[name], state.everything(host)) == []


def test_relocated_accounts_are_the_hosts_own_and_the_same_on_both(domain: Domain) -> None:
    text = domain.answer_file.read_text()
    assert "CONFIG_UID_CONFLICTS=fail\n" in text
    domain.answer_file.write_text(text.replace("CONFIG_UID_CONFLICTS=fail\n", "CONFIG_UID_CONFLICTS=relocate\n"))
    done = domain.run("install")
    assert done.code == 0, (done.out + done.err)[-6000:]
    assert "made here with number" in done.out + done.err
    both = [domain.numbers(name, "nova", "neutron") for name in domain.hosts]
    assert both[0] == both[1]
    assert {number for pair in both[0].values() for number in pair} <= set(POOL)
    found = domain.numbers(CONTROLLER, "keystone", "mysql", *PEOPLE)
    assert {name: found[name][0] for name in PEOPLE} == PEOPLE
    assert not {*found["keystone"], *found["mysql"]} & set(USERS.values())
    # Whoever NIS has of these names is there as before.
    theirs = domain.hosts[CONTROLLER].run(["getent", "--service", "passwd:nis", "passwd", "nova", "mysql"]).stdout
    assert [line.split(":")[2] for line in theirs.splitlines()] == ["5001", "5002"]


def test_services_run_under_the_relocated_accounts(domain: Domain) -> None:
    for unit, (account, names) in UNITS.items():
        for name in names:
            process = domain.hosts[name].run(["systemctl", "show", "-P", "MainPID", unit], check=True).stdout.strip()
            owner = domain.hosts[name].run(["stat", "-c", "%u", f"/proc/{process}"], check=True).stdout.strip()
            assert int(owner) == domain.numbers(name, account)[account][0], unit


@pytest.mark.shows("second-run")
def test_a_second_run_keeps_the_numbers(domain: Domain) -> None:
    before = [domain.numbers(name, "nova", "neutron", "keystone", "mysql") for name in domain.hosts]
    done = domain.run("install", "--json")
    assert done.code == 0, (done.out + done.err)[-6000:]
    assert done.event("summary")["changed"] == 0
    assert [domain.numbers(name, "nova", "neutron", "keystone", "mysql") for name in domain.hosts] == before


def test_preflight_knows_every_account_that_an_installation_brings(domain: Domain) -> None:
    for host in domain.hosts.values():
        platform = find(host.platform)
        seen = CloudHost("", frozenset(), {}, platform)
        known = {account.name for role in all_roles() for account in role.accounts(seen)}
        first = (Path(host.image) / "etc/passwd").read_text().splitlines()
        now = host.run(["cat", "/etc/passwd"], check=True).stdout.splitlines()
        brought = {line.split(":")[0] for line in now} - {line.split(":")[0] for line in first}
        assert brought - known <= FURTHER[platform.package_manager]
