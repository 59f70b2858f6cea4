"""A host whose users come from NIS: who has a service's name is found before anything is changed, numbers are worked
with."""

from __future__ import annotations

import os
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from installer import answers, lab
from installer.lab import LabHost
from tests.lab import state
from tests.lab.command_line import Operator
from tests.lab.identity_only import IDENTITY_ONLY

pytestmark = [pytest.mark.lab, pytest.mark.long, pytest.mark.timeout(1200)]

DOMAIN = "labnis"
MAPS = "/etc/nis-maps"
#: MariaDB's number on EL, Keystone's as RDO has it, and a person who is called like the service.
USERS = {"mysam": 27, "kstone": 163}
NAMESAKE = {"keystone": 5163}
INSTALL = "DEBIAN_FRONTEND=noninteractive apt-get -qq -y --no-install-recommends install rpcbind yp-tools {}"


def map_file(users: dict[str, int]) -> str:
    return "".join(f"{name}:x:{number}:{number}:of NIS:/home/{name}:/bin/sh\n" for name, number in users.items())


@dataclass
class Domain:
    """A NIS domain: its server, a host that takes its users from it, and an operator who points pystack at that."""

    server: LabHost
    host: LabHost
    operator: Operator
    answer_file: Path

    def publish(self, users: dict[str, int]) -> None:
        """Let the domain have these users, each with a group of the same name and number."""
        self.server.run(["tee", f"{MAPS}/passwd"], stdin=map_file(users), check=True)
        groups = "".join(f"{name}:x:{number}:\n" for name, number in users.items())
        self.server.run(["tee", f"{MAPS}/group"], stdin=groups, check=True)
        self.server.run(f"cd /var/yp && make DOMAIN={DOMAIN} NOPUSH=true", check=True)

    def install(self) -> tuple[int, str]:
        done = self.operator.run("install", f"--answer-file={self.answer_file}", timeout=900)
        return done.code, done.out + done.err


@pytest.fixture(scope="module")
def domain(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Domain]:
    if os.geteuid() != 0:
        pytest.skip("making lab hosts needs root")
    home = tmp_path_factory.mktemp("home")
    lab.down([host.name for host in lab.hosts() if host.name in ("t-nis", "t-member")])
    server, host = lab.up(["t-nis", "t-member"])
    for machine, packages in ((server, "ypserv make"), (host, "ypbind-mt libnss-nis")):
        machine.run(["tee", "/etc/defaultdomain"], stdin=f"{DOMAIN}\n", check=True)
        machine.run(["apt-get", "-qq", "update"], check=True)
        machine.run(INSTALL.format(packages), check=True)
        machine.run("domainname -F /etc/defaultdomain", check=True)
    settings = f"s/^MINUID=.*/MINUID=1/; s/^MINGID=.*/MINGID=1/; s/^MERGE_PASSWD=.*/MERGE_PASSWD=false/; s/^MERGE_GROUP=.*/MERGE_GROUP=false/; s|^PASSWD .*=.*|PASSWD = {MAPS}/passwd|; s|^GROUP .*=.*|GROUP = {MAPS}/group|; s|^YPPWDDIR.*|YPPWDDIR = {MAPS}|; s/^all:.*/all: passwd group/"  # noqa: E501 -- one program of sed
    server.run(f"mkdir -p {MAPS}; sed -i '{settings}' /var/yp/Makefile; systemctl restart ypserv", check=True)
    host.run(["tee", "/etc/yp.conf"], stdin=f"domain {DOMAIN} server {server.address}\n", check=True)
    host.run("sed -Ei 's/^(passwd|group):.*/\\1: files nis/' /etc/nsswitch.conf", check=True)
    values = {**lab.answers([host]), **IDENTITY_ONLY, "CONFIG_SSH_KEY": str(host.private_key)}
    answers.write(home / "cloud.txt", answers.generate((), {**values, "CONFIG_SSL_CERT_DIR": str(home / "ca")}))
    made = Domain(server, host, Operator(home), home / "cloud.txt")
    made.publish({**USERS, **NAMESAKE})
    host.run("systemctl restart ypbind", check=True)
    assert host.run(["getent", "passwd", "keystone"]).stdout.startswith("keystone:x:5163:")
    yield made
    lab.down(["t-nis", "t-member"])


def test_a_person_of_nis_who_is_called_like_a_service_is_named_and_nothing_is_changed(domain: Domain) -> None:
    before = state.everything(domain.host)
    code, told = domain.install()
    assert code == 3, told
    assert "account keystone (5163), group keystone (5163)" in " ".join(told.split())
    assert state.differences(before, state.everything(domain.host)) == []


def test_numbers_that_people_of_nis_have_are_left_to_them(domain: Domain) -> None:
    domain.publish(USERS)
    code, told = domain.install()
    assert code == 0, told
    shown = domain.host.run(["getent", "passwd", "keystone", "kstone", "mysql"], check=True).stdout.splitlines()
    numbers = {line.split(":")[0]: int(line.split(":")[2]) for line in shown}
    assert numbers["kstone"] == 163
    assert numbers["keystone"] not in (27, 163, 5163)
    assert domain.host.run("grep -c ^keystone: /etc/passwd").stdout == "1\n"
    code, told = domain.install()
    assert code == 0, told
    assert "0 changed" in told
