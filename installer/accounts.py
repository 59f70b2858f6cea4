"""Accounts and groups that an installation brings along: of OpenStack's services, and of packages."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

#: As RDO's packages have them: the same on all hosts where they are free. Others get the next free one.
NUMBERS = {"glance": 161, "nova": 162, "keystone": 163, "neutron": 164, "cinder": 165, "heat": 187}
#: Where numbers are looked for in place of taken ones: above what adduser hands out to system accounts, which counts up
#: from 100, and below what useradd and systemd-sysusers hand out, which count down from 999.
POOL = range(600, 650)


@dataclass(frozen=True)
class Account:
    """An account of a host with a group of the same name, or a group alone.

    Args:
        name: the account's and its group's.
        number: the one that both want; None: any will do.
        maker: the package that makes it; empty: pystack does.
        home: absolute path.
        shell: absolute path.
        title: what it is for.
        group: the primary group, where that is not the one of the same name.
        own_group: whether there is a group of the same name.
        only_group: whether there is no account.
    """

    name: str
    number: int | None = None
    maker: str = ""
    home: str = "/nonexistent"
    shell: str = "/usr/sbin/nologin"
    title: str = ""
    group: str = ""
    own_group: bool = True
    only_group: bool = False

    @property
    def kinds(self) -> tuple[str, ...]:
        """What there is of that name: ``user``, ``group``, or both."""
        return (*(() if self.only_group else ("user",)), *(("group",) if self.own_group else ()))


def of_services(*names: str) -> tuple[Account, ...]:
    """Return the accounts that pystack makes for services of these names."""
    return tuple(Account(name, NUMBERS.get(name)) for name in names)


def of_packages(facts: Mapping[str, Any]) -> tuple[Account, ...]:
    """Return the accounts that a role's packages make, from its platform facts: ``accounts``, by name."""
    return tuple(Account(name, **entry) for name, entry in (facts.get("accounts") or {}).items())
