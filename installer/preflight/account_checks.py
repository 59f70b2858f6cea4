"""Whether the accounts of services get the same numbers on all hosts. A pure function of what all agents found."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from installer.accounts import NUMBERS, ON_SEVERAL_HOSTS
from installer.cloud import Cloud
from installer.outcome import Finding


def numbers(cloud: Cloud, reports: Mapping[str, Mapping[str, Any]]) -> Iterator[Finding]:
    """Every service's account has, or will have, one and the same number on all of its hosts."""
    if len(cloud.hosts) < 2:
        return
    fine = True
    for account, groups in ON_SEVERAL_HOSTS.items():
        if not cloud.answers[f"CONFIG_{account.upper()}_INSTALL"]:
            continue
        hosts = [host.address for host in cloud.hosts if host.groups & set(groups)]
        found = {address: _number(account, reports[address]["facts"]["accounts"]) for address in hosts}
        if len({number for number, _ in found.values()}) > 1:
            fine = False
            yield Finding(
                "accounts",
                "warn",
                f"the account {account} does not get the same number on all hosts: "
                + "; ".join(f"{address}: {words}" for address, (_, words) in found.items()),
                "files on a share would belong to different accounts on different hosts",
                f"before the first installation, give {account} the same number everywhere "
                f"(groupadd --system --gid N {account}; useradd --system --uid N --gid N {account})",
            )
    if fine:
        yield Finding("accounts", "success", "services have the same numbers on all hosts")


def _number(account: str, held: Mapping[str, int]) -> tuple[int | None, str]:
    """Return which number an account has or will have on a host, None where nobody knows yet, and words for it."""
    if account in held:
        return held[account], str(held[account])
    wanted = NUMBERS[account]
    others = [name for name, number in held.items() if number == wanted]
    return (None, f"{wanted} is taken by {others[0]}") if others else (wanted, str(wanted))
