"""Hosts that have a firewall: it keeps running, lets in what the cloud needs, and nothing else."""

from __future__ import annotations

import os
import socket
from collections.abc import Iterator
from pathlib import Path

import pytest

from installer import answers, lab
from installer.lab import LabHost
from installer.platforms import facts, find
from tests.lab import on_platform
from tests.lab.command_line import Operator
from tests.lab.identity_only import IDENTITY_ONLY

pytestmark = [pytest.mark.lab, pytest.mark.shows("firewall", "identity"), pytest.mark.timeout(1200)]

NAMES = ("t-walled", "t-walled-db")
#: What looks after the controller, and after the host of database and queue. EL and Fedora have no ufw.
FIREWALLS = {"apt": ("firewalld", "ufw"), "dnf": ("firewalld", "firewalld")}
#: How an operator starts one, and what tells that it runs.
START = {"firewalld": "systemctl enable --now firewalld", "ufw": "ufw allow 22/tcp && ufw --force enable"}
RUNS = {"firewalld": ("firewall-cmd --state", "running"), "ufw": ("ufw status", "Status: active")}
DROPPING = """table inet filter {
  chain input {
    type filter hook input priority filter; policy drop;
    ct state established,related accept
    iif lo accept
    meta l4proto { icmp, ipv6-icmp } accept
    tcp dport 22 accept
  }
}
"""


@pytest.fixture(scope="module")
def hosts(each_kind: str) -> Iterator[list[LabHost]]:
    if os.geteuid() != 0:
        pytest.skip("making lab hosts needs root")
    lab.down([host.name for host in lab.hosts() if host.name in NAMES])
    yield lab.up(list(NAMES), each_kind)
    lab.down(list(NAMES))


def written(home: Path, members: list[LabHost], **further: str) -> Path:
    values = {
        **on_platform.answers(members),
        **IDENTITY_ONLY,
        "CONFIG_SSH_KEY": str(members[0].private_key),
        "CONFIG_SSL_CERT_DIR": str(home / "ca"),
        **further,
    }
    answers.write(home / "cloud.txt", answers.generate((), values))
    return home / "cloud.txt"


def lets_in(address: str, port: int) -> bool:
    """Tell whether this machine, which is no host of the cloud, reaches a port."""
    try:
        with socket.create_connection((address, port), timeout=3):
            return True
    except OSError:
        return False


def test_rules_of_somebody_are_left_alone_and_the_printed_commands_let_the_cloud_in(
    hosts: list[LabHost], tmp_path: Path
) -> None:
    controller, _ = hosts
    on_platform.add_packages(controller, "nftables")
    controller.run("nft -f -", stdin=DROPPING, check=True)
    answer_file, operator = written(tmp_path, hosts), Operator(tmp_path)
    refused = operator.run("preflight", f"--answer-file={answer_file}", "--json")
    assert refused.code == 3, refused.out + refused.err
    (finding,) = [event for event in refused.events if event["event"] == "finding" and event["outcome"] == "fail"]
    assert finding["title"] == "firewall"
    assert "5000/tcp from users" in finding["found"]
    assert "3306/tcp, 5672/tcp from the cloud's other hosts" in finding["found"]
    assert facts(find(controller.platform), "firewall")["rules"] in finding["remedy"]
    for command in finding["commands"]:
        controller.run(command, check=True)
    fit = operator.run("preflight", f"--answer-file={answer_file}", "--json")
    assert fit.code == 0, fit.out + fit.err
    controller.run("nft delete table inet filter", check=True)


@pytest.mark.long_on("fedora-43")
def test_ports_are_opened_in_each_hosts_firewall_to_those_who_need_them_and_once_only(
    hosts: list[LabHost], tmp_path: Path
) -> None:
    controller, backend = hosts
    looked_after = list(zip(FIREWALLS[on_platform.package_manager(controller)], hosts, strict=True))
    for firewall, host in looked_after:
        on_platform.add_packages(host, firewall)
        host.run(START[firewall], check=True)
    answer_file = written(tmp_path, hosts, CONFIG_MARIADB_HOST=backend.address, CONFIG_AMQP_HOST=backend.address)
    operator = Operator(tmp_path)
    installed = operator.run("install", f"--answer-file={answer_file}")
    assert installed.code == 0, installed.out + installed.err
    again = operator.run("install", f"--answer-file={answer_file}", "--json")
    assert again.code == 0
    assert again.event("summary")["changed"] == 0, again.out
    for firewall, host in looked_after:
        asked, told = RUNS[firewall]
        assert told in host.run(asked).stdout.splitlines()
    assert lets_in(controller.address, 5000)
    # Everything but the ports that were opened is closed as before.
    assert not lets_in(backend.address, 3306)
    assert controller.run(["bash", "-c", f"exec 3<>/dev/tcp/{backend.address}/3306"]).returncode == 0
    controller.run(["firewall-cmd", "--reload"], check=True)
    assert lets_in(controller.address, 5000)
