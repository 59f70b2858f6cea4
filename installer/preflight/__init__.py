"""Preflight: every check, on all hosts, before anything is changed; then one summary. It changes nothing."""

from __future__ import annotations

import re
import subprocess
from collections.abc import Mapping, Sequence
from typing import Any

from uv import find_uv_bin

from installer.answers import Answers
from installer.cloud import Cloud, CloudHost
from installer.outcome import Finding
from installer.preflight import (
    account_checks,
    answer_checks,
    backend_checks,
    between_hosts,
    firewall_checks,
    host_checks,
    module_checks,
    mount_checks,
    name_checks,
    network_checks,
    package_checks,
    proxy_checks,
    selinux_checks,
    storage_checks,
    system_checks,
)
from installer.preflight.seen import Check, Seen
from installer.roles import Role, of_host, openings_of

#: Failures first: they are what the operator must read.
ORDER = ("fail", "warn", "success")
#: Every check of one host, by subject.
CHECKS: tuple[Check, ...] = (
    *host_checks.CHECKS,
    *mount_checks.CHECKS,
    *package_checks.CHECKS,
    *system_checks.CHECKS,
    *selinux_checks.CHECKS,
    *network_checks.CHECKS,
    *name_checks.CHECKS,
    *proxy_checks.CHECKS,
    *firewall_checks.CHECKS,
    *storage_checks.CHECKS,
    *backend_checks.CHECKS,
    *module_checks.CHECKS,
)


def questions(answers: Answers, hosts: Sequence[CloudHost], roles: Sequence[Role], host: CloudHost) -> dict[str, Any]:
    """Return what the agent of a host is to find out; see ``installer.agent.probes.probe``.

    Args:
        answers: the answer file.
        hosts: all hosts of the cloud.
        roles: all roles.
        host: the one that is asked.
    """
    return {
        "names": [each.address for each in hosts],
        "accounts": account_checks.question(answers, roles),
        **(storage_checks.question(answers) if "storage" in host.groups else {}),
        **backend_checks.question(answers),
    }


def source_questions(answers: Answers) -> dict[str, Any]:
    """Return which sources the agents are to reach; see ``installer.agent.probes.sources``."""
    return {
        "index": str(answers["CONFIG_PACKAGE_INDEX"] or ""),
        "default_index": default_index(),
        "proxies": proxies(answers),
    }


def proxies(answers: Answers) -> dict[str, str]:
    """Return the proxy for each scheme that the answer file names, and under ``no`` what is reached without one."""
    found = {"http": answers["CONFIG_HTTP_PROXY"], "https": answers["CONFIG_HTTPS_PROXY"]}
    given = {scheme: str(url) for scheme, url in found.items() if url}
    direct = ",".join(map(str, answers["CONFIG_NO_PROXY"] or ()))
    return {**given, "no": direct} if given and direct else given


def default_index() -> str | None:
    """Return the address of the package index that uv asks when nothing else is configured, as its help states it."""
    told = subprocess.run([find_uv_bin(), "help", "pip", "install"], capture_output=True, text=True, check=False).stdout
    found = re.search(r"--default-index.*?by default: <?(https?://[^\s>)]+)", told, re.DOTALL)
    return found.group(1) if found else None


def check(cloud: Cloud, roles: Sequence[Role], reports: Mapping[str, Mapping[str, Any]]) -> list[Finding]:
    """Return what every check but that of the sources finds, failures first.

    Args:
        cloud: hosts with their facts.
        roles: all roles; those that are wanted say which ports they need.
        reports: what each host's agent found, by address; see ``installer.agent.probes.probe``.
    """
    findings = [finding for compare in between_hosts.CHECKS for finding in compare(reports)]
    for host in cloud.hosts:
        ports = {
            port: programs for role in of_host(roles, cloud, host) for port, programs in role.ports(cloud, host).items()
        }
        seen = Seen(cloud, host, reports[host.address], ports, openings_of(roles, cloud, host))
        for look in CHECKS:
            findings += look(seen)
    findings += account_checks.check(cloud, roles, reports)
    findings += network_checks.tunnels(cloud)
    if not any(finding.failed for finding in findings):
        # What is wrong there has been told of already, with more words.
        findings += answer_checks.fits(cloud, roles)
    return in_order(findings)


def check_sources(answers: Mapping[str, Sequence[Mapping[str, str]]]) -> list[Finding]:
    """Return whether hosts reach what they download from, failures first.

    Args:
        answers: what each host's agent found, by address; see ``installer.agent.probes.sources``.
    """
    return in_order([finding for host, entries in answers.items() for finding in host_checks.sources(host, entries)])


def in_order(findings: Sequence[Finding]) -> list[Finding]:
    """Return findings with the failures first, then the warnings."""
    return sorted(findings, key=lambda finding: ORDER.index(finding.outcome))
