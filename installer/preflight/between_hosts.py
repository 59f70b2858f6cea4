"""Checks that compare hosts with each other. Each is a pure function of what all agents found."""

from __future__ import annotations

import ipaddress
import platform
from collections.abc import Callable, Iterator, Mapping
from typing import Any

from installer.outcome import Finding

Reports = Mapping[str, Mapping[str, Any]]
Check = Callable[[Reports], Iterator[Finding]]

#: Tokens and certificates bear it; distributed databases and message expiry begin to fail beyond.
MOST_SKEW_SECONDS = 2.0


def clocks(reports: Reports) -> Iterator[Finding]:
    """The hosts' clocks agree with each other, and with this machine's."""
    ahead = {address: report["clock_ahead"] for address, report in reports.items()}
    first, last = min(ahead, key=lambda key: ahead[key]), max(ahead, key=lambda key: ahead[key])
    skew = ahead[last] - ahead[first]
    if skew > MOST_SKEW_SECONDS:
        yield Finding(
            "clocks",
            "fail",
            f"{last} is {skew:.1f} s ahead of {first}",
            "tokens and certificates made on one host are not yet, or no longer, valid on the other",
            "set the clocks: chronyc makestep, or timedatectl set-ntp true; CONFIG_NTP_SERVERS names time servers",
        )
    elif abs(ahead[last]) > 60:
        yield Finding(
            "clocks",
            "warn",
            f"the hosts are {ahead[last]:+.0f} s from this machine's clock",
            "certificates made here may not be valid there yet",
            "set this machine's clock",
        )
    else:
        yield Finding("clocks", "success", f"within {max(skew, 0.1):.1f} s")


def one_host_twice(reports: Reports) -> Iterator[Finding]:
    """No two addresses of the answer file are one host, and no two hosts share a machine id."""
    hosts: dict[str, list[str]] = {}
    for address, report in reports.items():
        hosts.setdefault(report["facts"]["machine_id"] or address, []).append(address)
    for addresses in hosts.values():
        if len(addresses) < 2:
            continue
        same = (
            len({reports[address]["facts"]["boot_id"] + reports[address]["facts"]["hostname"] for address in addresses})
            == 1
        )
        if same:
            yield Finding(
                "host listed twice",
                "fail",
                f"{' and '.join(addresses)} are one host",
                "it would be installed twice at once",
                "write each host with one and the same address everywhere",
            )
        else:
            yield Finding(
                "machine id",
                "fail",
                f"{' and '.join(addresses)} have the same /etc/machine-id",
                "cloned hosts get the same addresses and are taken for one another",
                "on one of them: rm /etc/machine-id, systemd-machine-id-setup, reboot",
            )


def names(reports: Reports) -> Iterator[Finding]:
    """Names resolve to the same on all hosts; hostnames lead to, and addresses back to, the host that has them."""
    problems = False
    for name in reports:
        seen = {address: report["names"][name] for address, report in reports.items()}
        for asking, answer in seen.items():
            if answer["problem"] and not _is_address(name):
                problems = True
                yield Finding(
                    "names",
                    "fail",
                    f"{name} does not resolve: {answer['problem']}",
                    "hosts find each other by it",
                    "add it to the DNS, or write the address into the answer file",
                    asking,
                )
        answers = {tuple(sorted(set(_without_loopback(answer["addresses"])))) for answer in seen.values()} - {()}
        if len(answers) > 1:
            problems = True
            told = "; ".join(f"{asking}: {', '.join(answer['addresses'])}" for asking, answer in seen.items())
            yield Finding(
                "names",
                "fail",
                f"{name} resolves differently ({told})",
                "services on these hosts would talk to different machines",
                "make /etc/hosts and the DNS agree",
            )
    hostnames: dict[str, list[str]] = {}
    distinct = {
        (report["facts"]["boot_id"], report["facts"]["hostname"]): address for address, report in reports.items()
    }
    for (_, hostname), address in distinct.items():
        hostnames.setdefault(hostname, []).append(address)
    for hostname, addresses in hostnames.items():
        if len(addresses) > 1 and hostname:
            problems = True
            yield Finding(
                "names",
                "fail",
                f"{' and '.join(addresses)} are both called {hostname}",
                "RabbitMQ, Nova and Neutron tell hosts apart by name",
                "give each host a name of its own: hostnamectl",
            )
    for finding in (*_led_elsewhere(reports), *_mapped_back(reports)):
        problems = True
        yield finding
    if not problems:
        yield Finding("names", "success", "resolve the same on all hosts")


def _led_elsewhere(reports: Reports) -> Iterator[Finding]:
    """Yield what a host's own hostname means to it, where that is another machine."""
    places = {place: address for address, report in reports.items() for place in report["facts"].get("addresses", ())}
    for address, report in reports.items():
        hostname, own = report["facts"]["hostname"], {address, *report["facts"].get("addresses", ())}
        told = _without_loopback(report["names"].get(hostname, {}).get("addresses", []))
        meant = [place for place in told if not ipaddress.ip_address(place.split("%")[0]).is_link_local]
        if not meant or own & set(meant):
            continue
        other = next((places.get(place, place) for place in meant if place in places or place in reports), None)
        yield Finding(
            "names",
            # pystack writes the names of the cloud's hosts into /etc/hosts, which goes before a wrong DNS.
            "fail" if other else "warn",
            f"its hostname {hostname} resolves to {', '.join(meant)}, which is {other or 'no address of its own'}",
            "its services would talk to another machine, or others to it",
            "correct /etc/hosts and the DNS, or give the host another name: hostnamectl",
            address,
        )


def _mapped_back(reports: Reports) -> Iterator[Finding]:
    """Yield addresses of hosts that map back to the name of another host of the cloud."""
    owners: dict[str, set[str]] = {}
    for address, report in reports.items():
        for name in (address, report["facts"]["hostname"], report["facts"].get("fqdn", "")):
            owners.setdefault(name.lower(), set()).add(address)
    for address in reports:
        wrong: dict[str, list[str]] = {}
        for asking, report in reports.items():
            for name in report["names"][address]["names"]:
                if address not in owners.get(name.lower(), {address}):
                    wrong.setdefault(name, []).append(asking)
        for name, askers in wrong.items():
            yield Finding(
                "names",
                "warn",
                f"{address} maps back to {name}, which is {' and '.join(sorted(owners[name.lower()]))}",
                f"logs and access rules on {' and '.join(askers)} would take one host for the other",
                "correct /etc/hosts and the reverse zone of the DNS",
            )


def architecture(reports: Reports) -> Iterator[Finding]:
    """All hosts have the architecture of this machine, whose uv they get; so they have one and the same."""
    here = platform.machine()
    for address, report in reports.items():
        found = report["facts"]["architecture"]
        if found != here:
            yield Finding(
                "architecture",
                "fail",
                f"{found}, and this machine is {here}",
                "the host gets the program uv of this machine, and cannot run it",
                f"run pystack on a machine with {found}; all hosts of a cloud must be of one architecture",
                address,
            )


def _without_loopback(addresses: list[str]) -> list[str]:
    return [address for address in addresses if not ipaddress.ip_address(address.split("%")[0]).is_loopback]


def _is_address(text: str) -> bool:
    try:
        ipaddress.ip_address(text)
    except ValueError:
        return False
    return True


CHECKS: tuple[Check, ...] = (clocks, one_host_twice, names, architecture)
