"""Which numbers accounts get on all hosts, and what stands in their way. Pure functions of what agents found.

An account that exists on a host is used as it is, and gets the same numbers on the others. What the name service of a
host knows from elsewhere (NIS, LDAP) belongs to somebody else.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from installer.accounts import POOL, Account
from installer.agent.accounts import LOCAL

#: What each host's agent found, by address; see ``installer.agent.accounts.look_up``.
Told = Mapping[str, Mapping[str, Any]]
#: The accounts that each host is to have, by address.
Needs = Mapping[str, Sequence[Account]]


@dataclass(frozen=True)
class Conflict:
    """A name or a number that somebody else has on a host.

    Args:
        account: who wants it.
        host: address.
        kind: user or group.
        holder: the name of who has it; the account's own where it is the name that is taken.
        number: the number of who has it.
        source: where the host knows him from, such as ``files`` or ``nis``.
    """

    account: Account
    host: str
    kind: str
    holder: str
    number: int
    source: str

    @property
    def of_name(self) -> bool:
        """Whether the name is taken, not the number."""
        return self.holder == self.account.name


@dataclass(frozen=True)
class Numbering:
    """What was settled.

    Args:
        numbers: by kind and name, those that new accounts and groups get where it is not what they want anyway.
        made_first: by address, accounts that packages would make and that pystack makes before them.
        conflicts: what stands in the way.
        unsettled: names for which no number is free on all hosts, or that a host has with a number taken on another.
    """

    numbers: Mapping[tuple[str, str], int] = field(default_factory=dict)
    made_first: Mapping[str, tuple[Account, ...]] = field(default_factory=dict)
    conflicts: tuple[Conflict, ...] = ()
    unsettled: tuple[str, ...] = ()

    def number(self, kind: str, name: str, wanted: int | None) -> int | None:
        """Return the number that a new account or group is to have; None: any will do."""
        return self.numbers.get((kind, name), wanted)


def settle(needs: Needs, told: Told, relocate: bool) -> Numbering:
    """Return the numbers for all hosts.

    Args:
        needs: which accounts each host is to have.
        told: what the agents found.
        relocate: whether another number is to be found for an account in whose way somebody is.
    """
    # Of one name there may be several: packages of other platforms make it otherwise.
    accounts = dict.fromkeys(account for here in needs.values() for account in here)
    numbers: dict[tuple[str, str], int] = {}
    made_first: dict[str, list[Account]] = {}
    conflicts: list[Conflict] = []
    unsettled: list[str] = []
    wanted = {account.number for account in accounts}
    pool = [number for number in POOL if number not in wanted]
    for account in accounts:
        hosts = [address for address, here in needs.items() if account in here]
        existing = {kind: set(_existing(account, kind, hosts, told)) for kind in account.kinds}
        found = list(_conflicts(account, hosts, told, existing))
        conflicts += found
        for kind, there in existing.items():
            if len(there) == 1 and any(told[address][kind][account.name] is None for address in hosts):
                numbers[kind, account.name] = next(iter(there))
        if not found or not relocate:
            continue
        chosen = _choice(account, hosts, told, existing, pool)
        if chosen is None:
            unsettled.append(account.name)
            continue
        numbers.update(chosen)
        pool = [number for number in pool if number not in chosen.values()]
        if account.maker:
            for address in hosts:
                if not all(_is_local(told, address, kind, account.name) for kind in account.kinds):
                    made_first.setdefault(address, []).append(account)
    first = {address: tuple(here) for address, here in made_first.items()}
    return Numbering(numbers, first, tuple(conflicts), tuple(unsettled))


def differing(needs: Needs, told: Told) -> Iterator[tuple[str, Mapping[str, int]]]:
    """Yield the accounts that several hosts have with different numbers, and each host's number."""
    for name in dict.fromkeys(account.name for here in needs.values() for account in here if not account.only_group):
        found = {
            address: told[address]["user"][name]["number"]
            for address, here in needs.items()
            if any(account.name == name for account in here) and _is_local(told, address, "user", name)
        }
        if len(set(found.values())) > 1:
            yield name, found


def _is_local(told: Told, address: str, kind: str, name: str) -> bool:
    entry = told[address][kind][name]
    return entry is not None and entry["source"] == LOCAL


def _existing(account: Account, kind: str, hosts: Sequence[str], told: Told) -> Iterator[int]:
    for address in hosts:
        if _is_local(told, address, kind, account.name):
            yield told[address][kind][account.name]["number"]


def _conflicts(
    account: Account, hosts: Sequence[str], told: Told, existing: Mapping[str, set[int]]
) -> Iterator[Conflict]:
    for address in hosts:
        for kind in account.kinds:
            if _is_local(told, address, kind, account.name):
                continue
            entry = told[address][kind][account.name]
            if entry is not None:
                yield Conflict(account, address, kind, account.name, entry["number"], entry["source"])
            wanted = next(iter(existing[kind]), account.number)
            holder = None if wanted is None else told[address]["holders"][kind].get(str(wanted))
            if holder is not None and wanted is not None and holder["name"] != account.name:
                yield Conflict(account, address, kind, holder["name"], wanted, holder["source"])


def _choice(
    account: Account, hosts: Sequence[str], told: Told, existing: Mapping[str, set[int]], pool: Sequence[int]
) -> dict[tuple[str, str], int] | None:
    """Return numbers that are free on all hosts, by kind and name; None: there are none."""
    fixed = {kind: next(iter(there)) for kind, there in existing.items() if there}
    if any(not _is_free(number, kind, account.name, hosts, told) for kind, number in fixed.items()):
        return None
    open_kinds = [kind for kind in account.kinds if kind not in fixed]
    preferred = [*fixed.values(), *([account.number] if account.number is not None else []), *pool]
    for number in preferred:
        if all(_is_free(number, kind, account.name, hosts, told) for kind in open_kinds):
            return {(kind, account.name): fixed.get(kind, number) for kind in account.kinds}
    return None


def _is_free(number: int, kind: str, name: str, hosts: Sequence[str], told: Told) -> bool:
    holders = (told[address]["holders"][kind].get(str(number)) for address in hosts)
    return all(holder is None or (holder["name"] == name and holder["source"] == LOCAL) for holder in holders)
