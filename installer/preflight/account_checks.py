"""Whether services can have their accounts, with the same numbers on all hosts. Pure functions of what agents found."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from installer.accounts import NUMBERS, PLACES, SWITCHES
from installer.cloud import Cloud
from installer.outcome import Finding
from installer.preflight.host_checks import Check, Seen

KINDS = {"user": "account", "group": "group"}


def wanted(answers: Mapping[str, Any]) -> dict[str, int | None]:
    """Return the accounts of the services that are installed, each with the number that it is to have; None: any."""
    return {name: NUMBERS.get(name) for name in PLACES if name not in SWITCHES or answers[SWITCHES[name]]}


def names(seen: Seen) -> Iterator[Finding]:
    """No name that a service needs belongs to somebody whom the host knows from NIS or LDAP."""
    address, told = seen.host.address, seen.report["accounts"]
    if told["problem"]:
        yield Finding(
            "accounts",
            "fail",
            f"the name service does not say who there is: {told['problem']}",
            "accounts are made and looked up by it, by pystack, by packages and at every login",
            "see which sources /etc/nsswitch.conf names for passwd and group, and that their servers answer "
            "(getent passwd root)",
            address,
        )
        return
    foreign = [
        f"{words} {name} ({entry['number']})"
        for name in wanted(seen.cloud.answers)
        if seen.host.groups & set(PLACES[name])
        for kind, words in KINDS.items()
        if (entry := told[kind][name])["number"] is not None and not entry["local"]
    ]
    if not foreign:
        yield Finding("accounts", "success", "no name of a service belongs to somebody else", host=address)
        return
    yield Finding(
        "accounts",
        "fail",
        f"not of this host but of a name service such as NIS or LDAP: {', '.join(foreign)}",
        "the services would run as somebody who is known elsewhere, too, with that one's rights to files on shares; "
        "pystack takes no name from a name service and changes nobody there",
        "rename them there, or take the source out of passwd and group in /etc/nsswitch.conf of this host",
        address,
    )


def numbers(cloud: Cloud, reports: Mapping[str, Mapping[str, Any]]) -> Iterator[Finding]:
    """Every service's account has, or will have, one and the same number on all of its hosts."""
    if len(cloud.hosts) < 2 or any(report["accounts"]["problem"] for report in reports.values()):
        return
    fine = True
    for name, number in wanted(cloud.answers).items():
        hosts = [host.address for host in cloud.hosts if host.groups & set(PLACES[name])]
        if number is None or len(PLACES[name]) < 2 or len(hosts) < 2:
            continue
        found = {address: _number(number, reports[address]["accounts"]["user"][name]) for address in hosts}
        own = {number for number, _ in found.values()}
        if None in own or len(own) > 1:
            fine = False
            yield Finding(
                "accounts",
                "warn",
                f"the account {name} does not get the same number on all hosts: "
                + "; ".join(f"{address}: {words}" for address, (_, words) in found.items()),
                "files on a share would belong to different accounts on different hosts",
                f"before the first installation, give {name} the same number everywhere "
                f"(groupadd --system --gid N {name}; useradd --system --uid N --gid N {name})",
            )
    if fine:
        yield Finding("accounts", "success", "services have the same numbers on all hosts")


def _number(number: int | None, entry: Mapping[str, Any]) -> tuple[int | None, str]:
    """Return which number an account has or will have on a host, None where nobody knows yet, and words for it."""
    if entry["number"] is not None:
        return entry["number"], str(entry["number"])
    taken = entry["holder"]
    return (None, f"{number} is taken by {taken}") if taken else (number, str(number))


CHECKS: tuple[Check, ...] = (names,)
