from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest
import yaml

from installer.resources.base import CannotFix
from installer.resources.host_entry import HostEntry, parse, with_entries

CASES = yaml.safe_load((Path(__file__).parent / "cases" / "hosts.yaml").read_text())


def entries(case: dict[str, Any]) -> list[HostEntry]:
    return [HostEntry(address, tuple(names)) for address, *names in case["entries"]]


@pytest.mark.parametrize("case", CASES, ids=lambda case: case["title"])
def test_etc_hosts(case: dict[str, Any]) -> None:
    before, wanted = case["before"], entries(case)
    satisfied = [entry.state(parse(before)) == entry.expected() for entry in wanted]
    assert all(satisfied) is case.get("satisfied", False)
    if "refused" in case:
        with pytest.raises(CannotFix, match=re.escape(case["refused"])):
            with_entries(before, wanted)
        return
    after = with_entries(before, wanted)
    assert after == case.get("after", before)
    assert [entry.state(parse(after)) for entry in wanted] == [entry.expected() for entry in wanted]
    assert with_entries(after, wanted) == after


def test_a_plan_shows_the_line_in_the_way() -> None:
    state = HostEntry("192.0.2.11", ("ctl",)).state(parse("198.51.100.7 ctl\n"))
    assert state == {"address": "192.0.2.11", "names": [], "elsewhere": ["line 1: 198.51.100.7 ctl"]}
