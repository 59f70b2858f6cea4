"""What dnf's own records say of its last transaction, however that ended."""

from __future__ import annotations

import os
import shutil
import sqlite3
from pathlib import Path

import pytest

from installer.resources import dnf_history
from installer.resources.dnf_history import RECORDS, Records

FOUR, FIVE = RECORDS
#: As far as it is asked; after libdnf 0.74 and libdnf5 5.2.
TABLES = {
    FOUR: """
        CREATE TABLE trans (id INTEGER PRIMARY KEY, state INTEGER);
        CREATE TABLE rpm (item_id INTEGER, name TEXT);
        CREATE TABLE trans_item (trans_id INTEGER, item_id INTEGER);
        INSERT INTO rpm VALUES (1, 'mariadb-server'), (2, 'galera');
    """,
    FIVE: """
        CREATE TABLE trans_state (id INTEGER PRIMARY KEY, name TEXT);
        INSERT INTO trans_state VALUES (0, 'Started'), (1, 'Ok'), (2, 'Error');
        CREATE TABLE trans (id INTEGER PRIMARY KEY, state_id INTEGER);
        CREATE TABLE pkg_name (id INTEGER PRIMARY KEY, name TEXT);
        CREATE TABLE rpm (item_id INTEGER, name_id INTEGER);
        CREATE TABLE trans_item (trans_id INTEGER, item_id INTEGER);
        INSERT INTO pkg_name VALUES (7, 'mariadb-server'), (8, 'galera');
        INSERT INTO rpm VALUES (1, 7), (2, 8);
    """,
}


def kept(records: Records, path: Path, states: list[int]) -> Records:
    """Write transactions of both packages, each of which ended as its number says."""
    with sqlite3.connect(path) as database:
        database.executescript(TABLES[records])
        for number, state in enumerate(states, 1):
            database.execute("INSERT INTO trans VALUES (?, ?)", (number, state))
            database.execute("INSERT INTO trans_item VALUES (?, 1), (?, 2)", (number, number))
    database.close()
    return records._replace(path=str(path))


@pytest.mark.parametrize("records", RECORDS, ids=["dnf 4", "dnf 5"])
@pytest.mark.parametrize(
    ("states", "badly", "cut_off"),
    [([1], False, False), ([1, 0], True, True), ([0, 1], False, False), ([1, 2], True, False), ([], False, False)],
)
def test_the_last_transaction_counts(
    tmp_path: Path, records: Records, states: list[int], badly: bool, cut_off: bool
) -> None:
    made = kept(records, tmp_path / "history.sqlite", states)
    assert dnf_history.ended_badly([made]) is badly
    assert dnf_history.cut_off([made]) == ({"mariadb-server", "galera"} if cut_off else set())
    assert os.listdir(tmp_path) == ["history.sqlite"]


def test_what_is_in_the_log_of_the_database_counts_and_is_left_there(tmp_path: Path) -> None:
    live = tmp_path / "live"
    live.mkdir()
    made = kept(FOUR, live / "history.sqlite", [1])
    database = sqlite3.connect(made.path, isolation_level=None)
    database.executescript(
        "PRAGMA journal_mode = WAL; INSERT INTO trans VALUES (2, 0); INSERT INTO trans_item VALUES (2, 1)"
    )
    # As a power cut leaves it: nobody has closed it.
    after = tmp_path / "after"
    shutil.copytree(live, after, ignore=shutil.ignore_patterns("*-shm"))
    database.close()
    before = {path.name: path.read_bytes() for path in after.iterdir()}
    assert dnf_history.cut_off([made._replace(path=str(after / "history.sqlite"))]) == {"mariadb-server"}
    assert {path.name: path.read_bytes() for path in after.iterdir()} == before


def test_records_that_are_not_there_or_damaged_say_nothing(tmp_path: Path) -> None:
    damaged = tmp_path / "history.sqlite"
    damaged.write_text("not a database")
    for path in (damaged, tmp_path / "none"):
        assert not dnf_history.ended_badly([FOUR._replace(path=str(path))])
        assert dnf_history.cut_off([FOUR._replace(path=str(path))]) == frozenset()
