from __future__ import annotations

from typing import Any

import pytest

from installer.resources.database_schema import state_of

NOTE = {"release": "2026.2", "versions": ["a", "b"]}


@pytest.mark.parametrize(
    ("note", "versions", "state"),
    [
        (None, [], None),
        (NOTE, [], None),
        ({"first": True}, ["a"], {"release": "unknown", "tables": "perhaps not complete"}),
        (None, ["a", "b"], {"release": "unknown", "tables": "perhaps not complete"}),
        (NOTE, ["a", "b"], {"release": "2026.2", "tables": "complete"}),
        (NOTE, ["a"], {"release": "2026.2", "tables": "changed since they were made"}),
    ],
    ids=["new", "the database was lost", "cut off", "another's", "complete", "an older backup was put back"],
)
def test_the_state_of_a_schema(note: Any, versions: list[str], state: Any) -> None:
    assert state_of(note, versions) == state
