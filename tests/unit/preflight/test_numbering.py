"""Which numbers accounts get: cases in numbering.yaml."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest
import yaml

from installer.accounts import Account
from installer.numbering import Numbering, differing, settle

CASES = yaml.safe_load((Path(__file__).parent / "numbering.yaml").read_text())
ACCOUNTS = (Account("a", 27, maker="the-package"), Account("b", 162))
NEEDS = {"one": ACCOUNTS, "two": ACCOUNTS}


def told(present: Sequence[str]) -> dict[str, Any]:
    found: dict[str, Any] = {kind: {"a": None, "b": None} for kind in ("user", "group")}
    found["holders"] = {"user": {}, "group": {}}
    for line in present:
        kind, name, number, source = line.split()
        found[kind][name] = {"number": int(number), "source": source}
        found["holders"][kind][number] = {"name": name, "source": source}
    return found


def settled(case: dict[str, Any], relocate: bool) -> Numbering:
    return settle(NEEDS, {host: told(case.get(host, ())) for host in NEEDS}, relocate)


@pytest.mark.parametrize("case", CASES, ids=[case["case"] for case in CASES])
@pytest.mark.parametrize("relocate", [False, True], ids=["fail", "relocate"])
def test_it_is_settled(case: dict[str, Any], relocate: bool) -> None:
    found = settled(case, relocate)
    conflicts = [f"{it.host} {it.kind} {it.account.name} {it.holder} {it.number} {it.source}" for it in found.conflicts]
    assert sorted(conflicts) == sorted(case.get("conflicts", ()))
    expected = case["numbers"] | (case.get("relocated", {}) if relocate else {})
    assert {" ".join(key): number for key, number in found.numbers.items()} == expected
    first = {host: [account.name for account in accounts] for host, accounts in found.made_first.items()}
    assert first == (case.get("first", {}) if relocate else {})
    assert list(found.unsettled) == (case.get("unsettled", []) if relocate else [])


def test_what_was_settled_stays_so_once_it_is_done() -> None:
    case = {"one": ["user else 162 nis", "user b 5001 nis"], "two": ["group other 600 nis"]}
    chosen = settled(case, True).numbers
    ours = [f"{kind} {name} {number} files" for (kind, name), number in chosen.items()]
    after = settled({"one": [*case["one"][:1], *ours], "two": [*case["two"], *ours]}, True)
    assert (after.conflicts, after.numbers, after.made_first) == ((), {}, {})


def test_a_number_that_differs_between_hosts_is_told() -> None:
    reports = {"one": told(["user b 990 files"]), "two": told(["user b 162 files", "user a 27 nis"])}
    assert list(differing(NEEDS, reports)) == [("b", {"one": 990, "two": 162})]
