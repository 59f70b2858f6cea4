"""A host with every fault that a container can have: preflight tells of all, changes nothing, and is right."""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from installer import answers, lab
from installer.lab import LabHost
from tests.lab import faults, on_platform, state
from tests.lab.command_line import Operator, Result
from tests.lab.identity_only import IDENTITY_ONLY

pytestmark = [pytest.mark.lab, pytest.mark.shows("preflight"), pytest.mark.timeout(1800)]

NAME = "t-askew"
#: What an operator sees of a host that files do not tell.
LIVE = "nft -s list ruleset; cat /proc/mounts; ss -Hltn; {}; ls -l /opt /tmp /var/tmp; firewall-cmd --list-all"
INSTALLED = {"apt": "dpkg -l", "dnf": "rpm -qa | sort"}


@dataclass
class Askew:
    """The host, and an operator who points pystack at it with an answer file that has faults as well."""

    host: LabHost
    second: str
    operator: Operator
    home: Path
    given: Mapping[str, str]
    faults: Mapping[str, Mapping[str, Any]]

    @property
    def live(self) -> str:
        """What files do not tell of the host."""
        return self.host.run(LIVE.format(INSTALLED[on_platform.package_manager(self.host)])).stdout

    def written(self, name: str, **further: str) -> str:
        """Return the option with an answer file that has these parameters."""
        values = {
            **self.given,
            "CONFIG_SSH_KEY": str(self.host.private_key),
            "CONFIG_SSL_CERT_DIR": str(self.home / "ca"),
            **further,
        }
        (self.home / name).unlink(missing_ok=True)
        answers.write(self.home / name, answers.generate((), values))
        return f"--answer-file={self.home / name}"

    def crooked(self) -> str:
        """Return the option with the answer file that has faults."""
        keys = self.given["CONFIG_SSH_HOST_KEYS"]
        return self.written(
            "crooked.txt",
            CONFIG_COMPUTE_HOSTS=self.second,
            CONFIG_SSH_HOST_KEYS=f"{keys},{keys.replace(self.host.address, self.second)}",
            CONFIG_NEUTRON_OVN_BRIDGE_IFACES="br-ex:eth7",
        )

    def preflight(self, option: str) -> tuple[Result, list[dict[str, Any]]]:
        """Return preflight's result, and what it finds that is not good."""
        told = self.operator.run("preflight", option, "--json")
        return told, [one for one in told.events if one["event"] == "finding" and one["outcome"] != "success"]


@pytest.fixture(scope="module")
def askew(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Askew]:
    if os.geteuid() != 0:
        pytest.skip("making lab hosts needs root")
    home = tmp_path_factory.mktemp("home")
    lab.down([host.name for host in lab.hosts() if host.name == NAME])
    (host,) = lab.up([NAME], external=True)
    second = f"{host.address.rpartition('.')[0]}.{int(host.address.rpartition('.')[2]) + 120}"
    given = on_platform.answers([host])
    together = {title: fault for title, fault in faults.of(host).items() if not fault.get("alone")}
    for fault in together.values():
        faults.make(host, fault, second=second, name=NAME)
    yield Askew(host, second, Operator(home), home, given, together)
    lab.down([NAME])


@pytest.fixture(scope="module")
def refused(askew: Askew) -> tuple[Result, list[dict[str, Any]]]:
    """Preflight of the crooked host, as it is printed and as data."""
    shown = askew.operator.run("preflight", askew.crooked())
    return shown, askew.preflight(askew.crooked())[1]


def test_preflight_and_install_refuse_the_host_and_change_nothing_on_it(askew: Askew) -> None:
    # In this order: what is asked here may write byte code, which packages of stand-ins have not.
    live, before = askew.live, state.everything(askew.host)
    assert "table inet site" in live
    assert ":5000" in live
    for verb in ("preflight", "install"):
        done = askew.operator.run(verb, askew.crooked())
        assert done.code == 3, done.out + done.err
    assert state.differences(before, state.everything(askew.host)) == []
    assert askew.live == live


def test_one_readable_report_tells_of_every_fault_failures_first(
    askew: Askew, refused: tuple[Result, list[dict[str, Any]]]
) -> None:
    shown, findings = refused
    assert set(askew.faults) - {finding["title"] for finding in findings} == set()
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


def put_right(askew: Askew, findings: list[dict[str, Any]]) -> None:
    """Do what findings say, and on the host what is only said in words."""
    done = set()
    for finding in findings:
        for command in finding["commands"]:
            askew.host.run(command, check=True)
        if not finding["commands"]:
            fault = askew.faults.get(finding["title"], {})
            assert {"by_hand", "in_the_answers"} & set(fault) or finding["title"] in ("names", "processor"), finding
            if "by_hand" in fault and finding["title"] not in done:
                done.add(finding["title"])
                askew.host.run(fault["by_hand"], check=True)


@pytest.mark.shows("identity")
def test_put_right_by_what_the_report_says_the_host_is_fit_and_installs(
    askew: Askew, refused: tuple[Result, list[dict[str, Any]]]
) -> None:
    # The answer file now lists the host once: what was found under its other address is the same again.
    put_right(askew, [finding for finding in refused[1] if finding["host"] != askew.second])
    straight = askew.written("straight.txt")
    fit, findings = askew.preflight(straight)
    # While a package manager seemed to be at work, how dnf's last transaction ended could not be told.
    if on_platform.of_rpm(askew.host):
        assert {finding["title"] for finding in findings} == {"processor", "packages"}, fit.out
        put_right(askew, findings)
        fit, findings = askew.preflight(straight)
    assert (fit.code, {finding["title"] for finding in findings}) == (0, {"processor"}), fit.out
    small = askew.written("small.txt", **IDENTITY_ONLY)
    installed = askew.operator.run("install", small)
    assert installed.code == 0, installed.out + installed.err
    assert askew.host.run(["firewall-cmd", "--state"]).stdout.strip() == "running"
    assert "5000/tcp" in askew.host.run(["firewall-cmd", "--list-ports"]).stdout
