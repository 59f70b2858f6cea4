"""What is told of a host that another installer works on."""

from __future__ import annotations

import pytest

from installer.engine.session import HostBusy


@pytest.mark.parametrize(
    ("holder", "told"),
    [
        ({"owner": "ann@a", "run": "r1", "age": 200.0}, "ann@a is installing on this host (run r1, for 3 minutes)"),
        ({"owner": "ann@a", "run": "r1", "age": 3700.0}, "ann@a is installing on this host (run r1, for 1 hour)"),
        ({"owner": "ann@a", "run": "r1", "age": -0.1}, "ann@a is installing on this host (run r1, for 0 seconds)"),
        ({}, "another installer is installing on this host (run ?)"),
    ],
)
def test_who_holds_a_host_is_told_with_how_long_already(holder: dict[str, object], told: str) -> None:
    assert HostBusy("192.0.2.10", holder).message == f"192.0.2.10: {told}"
