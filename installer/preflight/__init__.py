"""Preflight: every check, on all hosts, before anything is changed; then one summary. It changes nothing."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from installer import own_index
from installer import proxies as proxies_of
from installer.answers import Answers
from installer.cloud import Cloud, CloudHost
from installer.outcome import Finding
from installer.plan import build
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
    source_checks,
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
    *source_checks.CHECKS,
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


def source_questions(answers: Answers, index: bool = True) -> dict[str, Any]:
    """Return which sources the agents are to reach; see ``installer.agent.probes.sources``.

    Args:
        answers: the answer file.
        index: whether hosts need a Python package index.
    """
    return {
        "index": str(answers["CONFIG_PACKAGE_INDEX"] or "") if index else None,
        "default_index": own_index.default_index(),
        "proxies": proxies(answers),
    }


def proxies(answers: Answers) -> dict[str, str]:
    """Return the proxy for each scheme that the answer file names, and under ``no`` what is reached without one."""
    found = {"http": answers["CONFIG_HTTP_PROXY"], "https": answers["CONFIG_HTTPS_PROXY"]}
    given = {scheme: str(url) for scheme, url in found.items() if url}
    direct = ",".join(map(str, answers["CONFIG_NO_PROXY"] or ()))
    return {**given, "no": direct} if given and direct else given


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


def lack_index(answers: Mapping[str, Sequence[Mapping[str, str]]]) -> bool:
    """Tell whether a host does not reach the Python package index; the argument is that of ``check_sources``."""
    return any(entry["what"] == "index" and entry["problem"] for entries in answers.values() for entry in entries)


def check_sources(answers: Mapping[str, Sequence[Mapping[str, str]]], sent: bool = False) -> list[Finding]:
    """Return whether hosts reach what they download from, failures first.

    Args:
        answers: what each host's agent found, by address; see ``installer.agent.probes.sources``.
        sent: whether the machine that runs pystack sends what hosts cannot have of the index.
    """
    return in_order(
        [finding for host, entries in answers.items() for finding in host_checks.sources(host, entries, sent)]
    )


def package_questions(
    cloud: Cloud,
    roles: Sequence[Role],
    reports: Mapping[str, Mapping[str, Any]],
    reached: Mapping[str, Sequence[Mapping[str, str]]],
) -> dict[str, dict[str, Any]]:
    """Return what dnf is to be asked for, by address: on hosts that have it free, and reach their sources.

    Args:
        cloud: hosts with their facts, all of them fit.
        roles: all roles.
        reports: what each host's agent found, by address.
        reached: see ``check_sources``.
    """
    asked = [
        host.address
        for host in cloud.hosts
        # Whoever is at work with packages would be waited for.
        if host.platform.package_manager == "dnf"
        and not reports[host.address]["packages"]["holder"]
        and not any(entry["what"] == "packages" and entry["problem"] for entry in reached[host.address])
    ]
    steps = build(cloud, roles) if asked else []
    through = {name: value.reveal() for name, value in proxies_of.environment(cloud.answers)}
    found = {}
    for address in asked:
        own = [step for step in steps if step.host == address]
        there = reports[address]["origins"]["bringing"]
        found[address] = {**source_checks.question(own, there), "proxies": through}
    return found


def check_packages(cloud: Cloud, answers: Mapping[str, Mapping[str, Any]]) -> list[Finding]:
    """Return whether dnf finds what is to be installed.

    Args:
        cloud: hosts with their facts.
        answers: what each host's agent found, by address; see ``installer.agent.package_offer.lacking``.
    """
    asked = (host for host in cloud.hosts if host.address in answers)
    return [finding for host in asked for finding in source_checks.on_offer(host, answers[host.address])]


def in_order(findings: Sequence[Finding]) -> list[Finding]:
    """Return findings with the failures first, then the warnings."""
    return sorted(findings, key=lambda finding: ORDER.index(finding.outcome))
