"""Whether accounts can be had, with the same numbers on all hosts. Pure functions of what agents found."""

from __future__ import annotations

import dataclasses
import functools
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from installer import numbering
from installer.accounts import POOL
from installer.agent.accounts import LOCAL
from installer.answers import Answers
from installer.cloud import Cloud, CloudHost
from installer.numbering import Conflict, Needs, Numbering
from installer.outcome import Finding
from installer.platforms import supported
from installer.report.tables import columns
from installer.roles import Role, of_host

Reports = Mapping[str, Mapping[str, Any]]

HEADINGS = ("host", "wanted", "found", "known from", "consequence")


def question(answers: Answers, roles: Sequence[Role]) -> dict[str, Any]:
    """Return which names and numbers agents are to look up: those of all platforms, whatever a host turns out to be."""
    names, numbers = _of_all_platforms(tuple(roles))
    return {"names": names, "numbers": [*numbers, *(POOL if relocates(answers) else ())]}


@functools.cache
def _of_all_platforms(roles: tuple[Role, ...]) -> tuple[list[str], list[int]]:
    accounts = {
        account
        for platform in supported()
        for role in roles
        for account in role.accounts(CloudHost("", frozenset(), {}, platform))
    }
    numbers = {account.number for account in accounts if account.number is not None}
    return sorted({account.name for account in accounts}), sorted(numbers)


def relocates(answers: Mapping[str, Any]) -> bool:
    """Tell whether accounts in whose way somebody is are to get other numbers, and names to be taken on the host."""
    return bool(answers["CONFIG_UID_CONFLICTS"] == "relocate")


def numbered(cloud: Cloud, roles: Sequence[Role], reports: Reports) -> Cloud:
    """Return a cloud with the numbers that its new accounts get.

    Args:
        cloud: the cloud.
        roles: all roles.
        reports: what each host's agent found, by address.
    """
    if _silent(cloud, reports):
        return cloud
    told = {address: report["accounts"] for address, report in reports.items()}
    return dataclasses.replace(cloud, numbering=numbering.settle(_needs(cloud, roles), told, relocates(cloud.answers)))


def check(cloud: Cloud, roles: Sequence[Role], reports: Reports) -> Iterator[Finding]:
    """Names and numbers of the accounts that services and packages want are free, or already theirs, on all hosts.

    Args:
        cloud: the cloud, with its numbering.
        roles: all roles.
        reports: what each host's agent found, by address.
    """
    silent = _silent(cloud, reports)
    yield from silent
    if silent:
        return
    told = {address: report["accounts"] for address, report in reports.items()}
    needs = _needs(cloud, roles)
    findings = [*_conflicts(cloud, told), *_different(needs, told)]
    if not findings:
        number = len({account.name for accounts in needs.values() for account in accounts})
        findings.append(
            Finding("accounts", "success", f"{number} accounts and groups: names and numbers free, or ours")
        )
    yield from findings


def _needs(cloud: Cloud, roles: Sequence[Role]) -> Needs:
    return {
        host.address: tuple(
            dict.fromkeys(account for role in of_host(roles, cloud, host) for account in role.accounts(host))
        )
        for host in cloud.hosts
        if host.platform.supported
    }


def _silent(cloud: Cloud, reports: Reports) -> list[Finding]:
    return [
        Finding(
            "accounts",
            "fail",
            f"the name service does not say who there is: {reports[host.address]['accounts']['problem']}",
            "accounts are made and looked up by it, by pystack, by packages and at every login",
            "see which sources /etc/nsswitch.conf names for passwd and group, and that their servers answer "
            "(getent passwd root)",
            host.address,
        )
        for host in cloud.hosts
        if reports[host.address]["accounts"]["problem"]
    ]


def _conflicts(cloud: Cloud, told: Mapping[str, Any]) -> Iterator[Finding]:
    settled = cloud.numbering
    if not settled.conflicts:
        return
    unsettled = set(settled.unsettled)
    behind = _behind(settled.conflicts, told) if relocates(cloud.answers) else {}
    rows = list(dict.fromkeys(_row(conflict, settled, cloud) for conflict in settled.conflicts))
    first = 0 if len(cloud.hosts) > 1 else 1
    names = sorted({conflict.account.name for conflict in settled.conflicts if conflict.of_name})
    numbers = sorted({conflict.number for conflict in settled.conflicts if not conflict.of_name})
    held = [f"{what} {', '.join(map(str, those))}" for what, those in (("names", names), ("numbers", numbers)) if those]
    found = f"somebody else has {' and '.join(held)}"
    lines = columns(row[first:] for row in (HEADINGS, *rows))
    if not relocates(cloud.answers):
        yield Finding(
            "accounts",
            "fail",
            found,
            "a service under somebody's name or number has his rights to files, on shares and on other hosts, too; "
            "a package that insists on a number that is taken fails in mid-installation",
            "set CONFIG_UID_CONFLICTS=relocate: these accounts are then made on the hosts, before the packages come, "
            "with numbers that are free on all of them; or rename or renumber those who hold them, where they are kept",
            lines=lines,
        )
    elif unsettled or behind:
        reasons = [f"no number is free on all hosts for {', '.join(sorted(unsettled))}"] if unsettled else []
        reasons += [f"{address} asks {source} before its own files" for address, source in behind.items()]
        yield Finding(
            "accounts",
            "fail",
            f"{found}; {'; '.join(reasons)}",
            "an account that is made on a host is seen there only if the host's own files are asked first, and files "
            "on shares need one number everywhere",
            "let passwd and group in /etc/nsswitch.conf begin with files (where authselect writes it, by a profile of "
            "your own: authselect create-profile); rename or renumber those who hold the rest",
            lines=lines,
        )
    else:
        yield Finding(
            "accounts",
            "warn",
            found,
            "CONFIG_UID_CONFLICTS=relocate: accounts of these names are made on the hosts, with numbers that are free "
            "on all of them; whoever a name service has of these names is no longer seen on these hosts",
            "none needed; those who hold the names and numbers keep them everywhere else",
            lines=lines,
        )


def _row(conflict: Conflict, settled: Numbering, cloud: Cloud) -> tuple[str, ...]:
    """Return a line of the table, the same for an account and its group where the same is in the way of both."""
    account, relocated = conflict.account, relocates(cloud.answers) and conflict.account.name not in settled.unsettled
    wanted = account.name + (f" ({account.number})" if account.number is not None else "")
    if relocated:
        number = settled.number(conflict.kind, account.name, account.number)
        consequence = f"made here with number {number}" if conflict.of_name else f"gets number {number}"
    elif conflict.of_name:
        consequence = f"the service would run as {conflict.source}'s {account.name}"
    elif account.maker:
        consequence = f"the package {account.maker} fails"
    else:
        consequence = "the account would get another number"
    return conflict.host, wanted, f"{conflict.holder} ({conflict.number})", conflict.source, consequence


def _behind(conflicts: Sequence[Conflict], told: Mapping[str, Any]) -> dict[str, str]:
    """Return the hosts on which a name is taken and which ask something else before their own files: what they ask."""
    first = {
        conflict.host: told[conflict.host]["sources"][conflict.kind][0] for conflict in conflicts if conflict.of_name
    }
    return {address: source for address, source in first.items() if source != LOCAL}


def _different(needs: Needs, told: Mapping[str, Any]) -> Iterator[Finding]:
    for name, numbers in numbering.differing(needs, told):
        yield Finding(
            "accounts",
            "warn",
            f"the account {name} does not have the same number on all hosts: "
            + "; ".join(f"{address}: {number}" for address, number in numbers.items()),
            "files on a share belong to different accounts on different hosts",
            f"where {name} has no files on shares, nothing; else stop its services on one of the hosts, "
            f"usermod --uid N {name} and groupmod --gid N {name} there, and give the files to it that it had",
        )
