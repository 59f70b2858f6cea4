"""What dnf's own records say of its last transaction, however that ended."""

from __future__ import annotations

import os
import shutil
import sqlite3
from pathlib import Path

import pytest

from installer.resources import dnf_history, locks
from installer.resources.dnf_history import BADLY, BEGUN, OWN, RECORDS, WELL, Records

FOUR, FIVE = RECORDS
#: As far as it is asked; after libdnf 0.74 and libdnf5 5.4. An upgrade, an obsolete one, a removal, a new one.
TABLES = {
    FOUR: """
        CREATE TABLE trans (id INTEGER PRIMARY KEY, dt_begin INTEGER, state INTEGER, comment TEXT DEFAULT '');
        CREATE TABLE rpm (item_id INTEGER, name TEXT, epoch INTEGER, version TEXT, release TEXT, arch TEXT);
        CREATE TABLE trans_item (trans_id INTEGER, item_id INTEGER, action INTEGER, state INTEGER);
        INSERT INTO rpm VALUES (1, 'galera', 0, '2', '1', 'x86_64'), (2, 'galera', 0, '1', '1', 'x86_64'),
            (3, 'old', 0, '1', '1', 'noarch'), (4, 'gone', 0, '1', '1', 'noarch'), (5, 'new', 3, '1', '1', 'noarch');
    """,
    FIVE: """
        CREATE TABLE trans_state (id INTEGER PRIMARY KEY, name TEXT);
        INSERT INTO trans_state VALUES (0, 'Started'), (1, 'Ok'), (2, 'Error');
        CREATE TABLE trans (id INTEGER PRIMARY KEY, dt_begin INTEGER, state_id INTEGER, comment TEXT);
        CREATE TABLE pkg_name (id INTEGER PRIMARY KEY, name TEXT);
        CREATE TABLE arch (id INTEGER PRIMARY KEY, name TEXT);
        CREATE TABLE trans_item_action (id INTEGER PRIMARY KEY, name TEXT);
        CREATE TABLE rpm (item_id INTEGER, name_id INTEGER, epoch INTEGER, version TEXT, release TEXT, arch_id INTEGER);
        CREATE TABLE trans_item (trans_id INTEGER, item_id INTEGER, action_id INTEGER, state_id INTEGER);
        INSERT INTO pkg_name VALUES (7, 'galera'), (8, 'old'), (9, 'gone'), (10, 'new');
        INSERT INTO arch VALUES (1, 'x86_64'), (2, 'noarch');
        INSERT INTO trans_item_action VALUES (6, 'Upgrade'), (7, 'Replaced'), (8, 'Remove'), (1, 'Install');
        INSERT INTO rpm VALUES (1, 7, 0, '2', '1', 1), (2, 7, 0, '1', '1', 1), (3, 8, 0, '1', '1', 2),
            (4, 9, 0, '1', '1', 2), (5, 10, 3, '1', '1', 2);
    """,
}
#: By item: its action.
ACTIONS = {
    FOUR: {1: 6, 2: 7, 3: 5, 4: 8, 5: 1},
    FIVE: {1: 6, 2: 7, 3: 7, 4: 8, 5: 1},
}


def kept(records: Records, path: Path, states: list[int], comment: str = OWN, begun: int = 1000) -> Records:
    """Write transactions, each of which ended as its number says: 0 not at all, 1 well, 2 badly."""
    with sqlite3.connect(path) as database:
        database.executescript(TABLES[records])
        for number, state in enumerate(states, 1):
            database.execute("INSERT INTO trans VALUES (?, ?, ?, ?)", (number, begun + number, state, comment))
            rows = [(number, item, action) for item, action in ACTIONS[records].items()]
            database.executemany("INSERT INTO trans_item VALUES (?, ?, ?, 0)", rows)
    database.close()
    return records._replace(path=str(path))


@pytest.fixture(autouse=True)
def nobody_at_work(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(locks, "at_work", lambda locked, naming: None)


@pytest.mark.parametrize("records", RECORDS, ids=["dnf 4", "dnf 5"])
@pytest.mark.parametrize(
    ("states", "ended", "cut_off"),
    [([1], WELL, False), ([1, 0], BEGUN, True), ([0, 1], WELL, False), ([1, 2], BADLY, False), ([], None, False)],
)
def test_the_last_transaction_counts(
    tmp_path: Path, records: Records, states: list[int], ended: str | None, cut_off: bool
) -> None:
    made = [kept(records, tmp_path / "history.sqlite", states)]
    found = dnf_history.last(made)
    assert (found and found.state) == ended
    assert (dnf_history.not_well(made) is not None) is (ended in (BEGUN, BADLY))
    assert (dnf_history.cut_off(made) is not None) is cut_off
    assert os.listdir(tmp_path) == ["history.sqlite"]


@pytest.mark.parametrize("records", RECORDS, ids=["dnf 4", "dnf 5"])
def test_what_was_to_come_is_told_and_what_that_replaces_but_nothing_obsolete_or_removed(
    tmp_path: Path, records: Records
) -> None:
    found = dnf_history.cut_off([kept(records, tmp_path / "history.sqlite", [0])])
    assert found is not None
    assert found.begun == 1001
    assert found.brought == {"galera-2-1.x86_64", "new-1-1.noarch"}
    assert found.replaced == {"galera-1-1.x86_64"}


def test_a_transaction_of_somebody_else_is_not_pystacks(tmp_path: Path) -> None:
    theirs = [kept(FOUR, tmp_path / "history.sqlite", [0], comment="")]
    assert dnf_history.not_well(theirs) is not None
    assert dnf_history.cut_off(theirs) is None


def test_of_a_host_that_has_had_both_the_newest_records_count(tmp_path: Path) -> None:
    both = [kept(FOUR, tmp_path / "4", [0]), kept(FIVE, tmp_path / "5", [1], begun=2000)]
    assert dnf_history.cut_off(both) is None
    both = [kept(FOUR, tmp_path / "4b", [1]), kept(FIVE, tmp_path / "5b", [0], begun=2000)]
    assert dnf_history.cut_off(both) is not None


@pytest.mark.parametrize("process", [0, 4711])
def test_one_that_runs_is_not_taken_for_one_that_was_cut_off(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, process: int
) -> None:
    made = [kept(FOUR, tmp_path / "history.sqlite", [0])]
    monkeypatch.setattr(locks, "at_work", lambda locked, naming: locks.AtWork(process))
    assert dnf_history.not_well(made) is None


def test_one_that_ends_while_it_is_looked_at_is_not_taken_for_one_that_was_cut_off(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    made = [kept(FOUR, tmp_path / "history.sqlite", [0])]

    def ends(locked: object, naming: object) -> None:
        with sqlite3.connect(made[0].path) as database:
            database.execute("UPDATE trans SET state = 1")
        database.close()

    monkeypatch.setattr(locks, "at_work", ends)
    assert dnf_history.cut_off(made) is None


def test_what_is_in_the_log_of_the_database_counts_and_is_left_there(tmp_path: Path) -> None:
    live = tmp_path / "live"
    live.mkdir()
    made = kept(FOUR, live / "history.sqlite", [1])
    database = sqlite3.connect(made.path, isolation_level=None)
    database.executescript(
        "PRAGMA journal_mode = WAL; INSERT INTO trans VALUES (2, 1002, 0, 'pystack');"
        "INSERT INTO trans_item VALUES (2, 5, 1, 0)"
    )
    # As a power cut leaves it: nobody has closed it.
    after = tmp_path / "after"
    shutil.copytree(live, after, ignore=shutil.ignore_patterns("*-shm"))
    database.close()
    before = {path.name: path.read_bytes() for path in after.iterdir()}
    found = dnf_history.cut_off([made._replace(path=str(after / "history.sqlite"))])
    assert found is not None
    assert found.brought == {"new-1-1.noarch"}
    assert {path.name: path.read_bytes() for path in after.iterdir()} == before


def test_records_that_are_not_there_or_damaged_say_nothing(tmp_path: Path) -> None:
    damaged = tmp_path / "history.sqlite"
    damaged.write_text("not a database")
    for path in (damaged, tmp_path / "none"):
        assert dnf_history.last([FOUR._replace(path=str(path))]) is None
