"""Words of reports."""

from __future__ import annotations

from installer.report.words import count


def test_a_noun_is_counted_as_it_is_spoken() -> None:
    assert [
        count(number, noun) for number, noun in ((1, "host"), (0, "host"), (1, "address"), (3, "floating address"))
    ] == [
        "1 host",
        "0 hosts",
        "1 address",
        "3 floating addresses",
    ]
