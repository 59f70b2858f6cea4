"""Hosts that have a firewall: it keeps running, lets in what the cloud needs, and nothing else."""

from __future__ import annotations

import os
import socket
from collections.abc import Iterator
from pathlib import Path

import pytest

from installer import answers, lab
from installer.lab import LabHost
from tests.lab.command_line import Operator
from tests.lab.identity_only import IDENTITY_ONLY

pytestmark = [pytest.mark.lab, pytest.mark.shows("firewall", "identity"), pytest.mark.timeout(1200)]

NAMES = ("t-walled", "t-walled-db")
APT = "export DEBIAN_FRONTEND=noninteractive; apt-get update -q; apt-get install -qy --no-install-recommends"
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
def hosts() -> Iterator[list[LabHost]]:
    if os.geteuid() != 0:
        pytest.skip("making lab hosts needs root")
    lab.down([host.name for host in lab.hosts() if host.name in NAMES])
    yield lab.up(list(NAMES))
    lab.down(list(NAMES))


def written(home: Path, members: list[LabHost], **further: str) -> Path:
    values = {
        **lab.answers(members),
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
    controller.run(f"{APT} nftables", check=True)
    controller.run("nft -f -", stdin=DROPPING, check=True)
    answer_file, operator = written(tmp_path, hosts), Operator(tmp_path)
    refused = operator.run("preflight", f"--answer-file={answer_file}", "--json")
    assert refused.code == 3, refused.out + refused.err
    (finding,) = [event for event in refused.events if event["event"] == "finding" and event["outcome"] == "fail"]
    assert finding["title"] == "firewall"
    assert "5000/tcp from users" in finding["found"]
    assert "3306/tcp, 5672/tcp from the cloud's other hosts" in finding["found"]
    for command in finding["commands"]:
        controller.run(command, check=True)
    fit = operator.run("preflight", f"--answer-file={answer_file}", "--json")
    assert fit.code == 0, fit.out + fit.err
    controller.run("nft delete table inet filter", check=True)


def test_ports_are_opened_in_firewalld_and_ufw_to_those_who_need_them_and_once_only(
    hosts: list[LabHost], tmp_path: Path
) -> None:
    controller, backend = hosts
    controller.run(f"{APT} firewalld", check=True)
    backend.run(f"{APT} ufw && ufw allow 22/tcp && ufw --force enable", check=True)
    answer_file = written(tmp_path, hosts, CONFIG_MARIADB_HOST=backend.address, CONFIG_AMQP_HOST=backend.address)
    operator = Operator(tmp_path)
    installed = operator.run("install", f"--answer-file={answer_file}")
    assert installed.code == 0, installed.out + installed.err
    again = operator.run("install", f"--answer-file={answer_file}", "--json")
    assert again.code == 0
    assert again.event("summary")["changed"] == 0, again.out
    assert controller.run(["firewall-cmd", "--state"]).stdout.strip() == "running"
    assert "Status: active" in backend.run(["ufw", "status"]).stdout
    assert lets_in(controller.address, 5000)
    # Everything but the ports that were opened is closed as before.
    assert not lets_in(backend.address, 3306)
    assert controller.run(["bash", "-c", f"exec 3<>/dev/tcp/{backend.address}/3306"]).returncode == 0
    controller.run(["firewall-cmd", "--reload"], check=True)
    assert lets_in(controller.address, 5000)
