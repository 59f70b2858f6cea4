"""A host with every fault that a container can have: preflight tells of all, changes nothing, and is right."""

from __future__ import annotations

import os
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from installer import answers, lab
from installer.lab import LabHost
from tests.lab import state
from tests.lab.command_line import Operator, Result
from tests.lab.identity_only import IDENTITY_ONLY

pytestmark = [pytest.mark.lab, pytest.mark.shows("preflight"), pytest.mark.timeout(1800)]

NAME = "t-askew"
#: What is wrong, by the words under which preflight tells of it, and what makes it so.
FAULTS = {
    "firewall": """
        export DEBIAN_FRONTEND=noninteractive; apt-get update -q
        apt-get install -qy --no-install-recommends firewalld nftables
        nft add table inet site
        nft 'add chain inet site input { type filter hook input priority 10; policy drop; }'
        nft add rule inet site input ct state established,related accept
        nft add rule inet site input iif lo accept
        nft add rule inet site input tcp dport 22 accept""",
    "packages": """
        mkdir -p /root/askew/DEBIAN; cd /root/askew/DEBIAN
        printf 'Package: askew\\nVersion: 1\\nArchitecture: all\\nMaintainer: x <x@x>\\nDescription: x\\n' > control
        printf '#!/bin/sh\\n[ -e /var/lib/askew ] || { touch /var/lib/askew; exit 1; }\\n' > postinst
        chmod 755 . postinst; dpkg-deb --build /root/askew /root/askew.deb; dpkg --install /root/askew.deb || true""",
    "package manager": """
        systemd-run --quiet --unit=upgrades python3 -c '
import fcntl, time
with open("/var/lib/dpkg/lock-frontend", "w") as lock:
    fcntl.lockf(lock, fcntl.LOCK_EX); time.sleep(9999)'""",
    "package source": "mv /etc/apt/sources.list.d /root/sources.list.d.away",
    "ports": """
        printf '[Service]\\nExecStart=/usr/bin/python3 -m http.server 5000\\n' > /etc/systemd/system/registry.service
        systemctl daemon-reload; systemctl start registry""",
    "remains": "printf '[Service]\\nExecStart=/bin/true\\n' > /etc/systemd/system/nova-compute.service",
    "disk": "mount -t tmpfs -o size=40m tmpfs /opt; head -c 39M /dev/zero > /opt/full",
    "file systems": "mount -t tmpfs -o ro tmpfs /var/tmp",
    "mount options": "mount -t tmpfs -o noexec tmpfs /tmp",
    "umask": """
        mkdir -p /etc/systemd/system/service.d
        printf '[Service]\\nUMask=0077\\n' > /etc/systemd/system/service.d/hardened.conf
        sed -i '/pam_umask/d' /etc/pam.d/common-session
        echo 'session optional pam_umask.so umask=0077' >> /etc/pam.d/common-session""",
    "locale": "echo LANG=xx_XX.UTF-8 > /etc/default/locale",
    # The package index cannot be reached through it, either: this machine brings the wheels to several hosts.
    "proxies": """
        mkdir -p /etc/systemd/system.conf.d; cd /etc/systemd/system.conf.d
        printf '[Manager]\\nDefaultEnvironment=https_proxy=http://192.0.2.1:3128\\n' > site.conf
        echo all_proxy=socks5://192.0.2.1:1080 >> /etc/environment
        sed -i '/no_proxy/Id' /etc/environment""",
    "hosts file": f"echo 192.0.2.77 {NAME} >> /etc/hosts",
    # Its interface ext0 is there, and eth7, which the answer file names, is not.
    "interfaces": "true",
    "host listed twice": "ip address add {second}/24 dev host0",
}
#: What the operator does where a remedy is words: on the host, in the order of the report.
BY_HAND = {
    "disk": "rm /opt/full; mount -o remount,size=6g /opt",
    "file systems": "mountpoint -q /opt",
    "remains": "rm /etc/systemd/system/nova-compute.service; systemctl daemon-reload",
    "package source": "mv /root/sources.list.d.away /etc/apt/sources.list.d",
    "package manager": "systemctl stop upgrades",
    "umask": "sed -i 's/umask=0077/umask=0022/' /etc/pam.d/common-session",
}
#: Remedies in the answer file itself.
IN_THE_ANSWERS = ("host listed twice", "interfaces")
#: What an operator sees of a host that files do not tell.
LIVE = "nft -s list ruleset; cat /proc/mounts; ss -Hltn; dpkg -l; ls -l /opt /tmp /var/tmp; firewall-cmd --list-all"


@dataclass
class Askew:
    """The host, and an operator who points pystack at it with an answer file that has faults as well."""

    host: LabHost
    second: str
    operator: Operator
    home: Path

    def written(self, name: str, **further: str) -> str:
        """Return the option with an answer file that has these parameters."""
        values = {
            **lab.answers([self.host]),
            "CONFIG_SSH_KEY": str(self.host.private_key),
            "CONFIG_SSL_CERT_DIR": str(self.home / "ca"),
            **further,
        }
        (self.home / name).unlink(missing_ok=True)
        answers.write(self.home / name, answers.generate((), values))
        return f"--answer-file={self.home / name}"

    def crooked(self) -> str:
        """Return the option with the answer file that has faults."""
        keys = lab.answers([self.host])["CONFIG_SSH_HOST_KEYS"]
        return self.written(
            "crooked.txt",
            CONFIG_COMPUTE_HOSTS=self.second,
            CONFIG_SSH_HOST_KEYS=f"{keys},{keys.replace(self.host.address, self.second)}",
            CONFIG_NEUTRON_OVN_BRIDGE_IFACES="br-ex:eth7",
        )


@pytest.fixture(scope="module")
def askew(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Askew]:
    if os.geteuid() != 0:
        pytest.skip("making lab hosts needs root")
    home = tmp_path_factory.mktemp("home")
    lab.down([host.name for host in lab.hosts() if host.name == NAME])
    (host,) = lab.up([NAME], external=True)
    second = f"{host.address.rpartition('.')[0]}.{int(host.address.rpartition('.')[2]) + 120}"
    for commands in FAULTS.values():
        host.run(commands.replace("{second}", second), check=True)
    yield Askew(host, second, Operator(home), home)
    lab.down([NAME])


@pytest.fixture(scope="module")
def refused(askew: Askew) -> tuple[Result, list[dict[str, Any]]]:
    """Preflight of the crooked host, as it is printed and as data."""
    shown = askew.operator.run("preflight", askew.crooked())
    told = askew.operator.run("preflight", askew.crooked(), "--json")
    return shown, [event for event in told.events if event["event"] == "finding" and event["outcome"] != "success"]


def test_preflight_and_install_refuse_the_host_and_change_nothing_on_it(askew: Askew) -> None:
    before, live = state.everything(askew.host), askew.host.run(LIVE).stdout
    assert "table inet site" in live
    assert ":5000" in live
    for verb in ("preflight", "install"):
        done = askew.operator.run(verb, askew.crooked())
        assert done.code == 3, done.out + done.err
    assert state.differences(before, state.everything(askew.host)) == []
    assert askew.host.run(LIVE).stdout == live


def test_one_readable_report_tells_of_every_fault_failures_first(
    refused: tuple[Result, list[dict[str, Any]]],
) -> None:
    shown, findings = refused
    assert set(FAULTS) - {finding["title"] for finding in findings} == set()
    assert {"0077 at login"} < {finding["found"] for finding in findings}
    marks = [line[0] for line in shown.out.splitlines() if line[:2] in ("✗ ", "! ")]
    assert marks == sorted(marks, key="✗!".index)
    # The host is listed twice, and all but a few of its faults are told once for both addresses.
    assert len(marks) < 0.7 * len(findings), shown.out
    commands = {command for finding in findings for command in finding["commands"]}
    lines = shown.out.splitlines()
    # Words are wrapped; commands are not, so that they can be copied.
    assert {line[10:] for line in lines if len(line) > 100} <= commands
    assert commands <= {line[10:] for line in lines}
    assert all(finding["why"] and finding["remedy"] for finding in findings)


@pytest.mark.shows("identity")
def test_put_right_by_what_the_report_says_the_host_is_fit_and_installs(
    askew: Askew, refused: tuple[Result, list[dict[str, Any]]]
) -> None:
    _, findings = refused
    done = set()
    # The answer file now lists the host once: what was found under its other address is the same again.
    for finding in (finding for finding in findings if finding["host"] != askew.second):
        for command in finding["commands"]:
            askew.host.run(command, check=True)
        if not finding["commands"]:
            assert finding["title"] in (*BY_HAND, *IN_THE_ANSWERS, "names", "processor"), finding
            if finding["title"] in BY_HAND and finding["title"] not in done:
                done.add(finding["title"])
                askew.host.run(BY_HAND[finding["title"]], check=True)
    straight = askew.written("straight.txt")
    fit = askew.operator.run("preflight", straight, "--json")
    left = {event["title"] for event in fit.events if event["event"] == "finding" and event["outcome"] != "success"}
    assert (fit.code, left) == (0, {"processor"}), fit.out
    small = askew.written("small.txt", **IDENTITY_ONLY)
    installed = askew.operator.run("install", small)
    assert installed.code == 0, installed.out + installed.err
    assert askew.host.run(["firewall-cmd", "--state"]).stdout.strip() == "running"
    assert "5000/tcp" in askew.host.run(["firewall-cmd", "--list-ports"]).stdout
