"""At which of its addresses a host serves the others."""

from __future__ import annotations

import pytest

from installer.addresses import address_of
from installer.cloud import CloudHost
from installer.operation import Operation


@pytest.mark.parametrize(
    ("name", "own", "resolved", "expected"),
    [
        ("192.0.2.10", ["10.0.0.1"], [], "192.0.2.10"),
        ("2001:0db8::10", [], [], "2001:db8::10"),
        ("localhost", ["192.0.2.10"], ["127.0.0.1"], "127.0.0.1"),
        ("one", ["10.0.0.1", "192.0.2.10"], ["127.0.1.1", "192.0.2.10"], "192.0.2.10"),
        ("one", ["192.0.2.10", "10.0.0.1"], ["192.0.2.10"], "192.0.2.10"),
        ("one", ["10.0.0.1", "192.0.2.10"], ["203.0.113.1"], "10.0.0.1"),
        ("one", ["10.0.0.1"], [], "10.0.0.1"),
        ("one", [], ["192.0.2.10"], "127.0.0.1"),
    ],
)
def test_a_host_serves_where_its_name_leads(name: str, own: list[str], resolved: list[str], expected: str) -> None:
    facts = {"addresses": own, "resolved": resolved}
    assert address_of(CloudHost(name, frozenset(), facts)) == expected


def test_what_any_host_resolves_a_name_to_counts() -> None:
    work = Operation.__new__(Operation)
    work._reports = {
        "one": {"names": {"one": {"addresses": ["127.0.1.1"]}}},
        "two": {"names": {"one": {"addresses": ["192.0.2.10"]}}},
    }
    assert work._resolved("one") == ["127.0.1.1", "192.0.2.10"]
