"""dnf's own records of its transactions: how the last one ended, and which packages it was about. Changes nothing."""

from __future__ import annotations

import contextlib
import os
import shutil
import tempfile
from typing import Any, FrozenSet, Iterator, NamedTuple, Sequence, Tuple


class Records(NamedTuple):
    """A database of SQLite, and what to ask it.

    Args:
        path: its file.
        last: asks for number and state of the last transaction.
        names: asks for the packages of the transaction of a number.
        well: the state of one that ended well.
        begun: the state of one that has not ended.
    """

    path: str
    last: str
    names: str
    well: Any
    begun: Any


#: Of dnf 4 and of dnf 5.
RECORDS = (
    Records(
        "/var/lib/dnf/history.sqlite",
        "SELECT id, state FROM trans ORDER BY id DESC LIMIT 1",
        "SELECT name FROM trans_item JOIN rpm USING (item_id) WHERE trans_id = ?",
        well=1,
        begun=0,
    ),
    Records(
        "/usr/lib/sysimage/libdnf5/transaction_history.sqlite",
        'SELECT trans.id, trans_state.name FROM "trans" JOIN trans_state ON trans.state_id = trans_state.id '
        "ORDER BY trans.id DESC LIMIT 1",
        "SELECT pkg_name.name FROM trans_item JOIN rpm USING (item_id) JOIN pkg_name ON rpm.name_id = pkg_name.id "
        "WHERE trans_id = ?",
        well="Ok",
        begun="Started",
    ),
)


def ended_badly(records: Sequence[Records] = RECORDS) -> bool:
    """Tell whether the last transaction did not end, or not well."""
    return any(state != one.well for one in records for _, state in _ask(one.path, one.last))


def cut_off(records: Sequence[Records] = RECORDS) -> FrozenSet[str]:
    """Return the packages of the last transaction if that has not ended: it runs, or it was cut off."""
    return frozenset(
        str(name)
        for one in records
        for number, state in _ask(one.path, one.last)
        if state == one.begun
        for (name,) in _ask(one.path, one.names, (number,))
    )


def _ask(path: str, query: str, values: Tuple[Any, ...] = ()) -> Sequence[Any]:
    """Return what records answer; nothing from those that are not there or damaged."""
    if not os.path.exists(path):
        return []
    # Slow to load, and not in every small Python.
    import sqlite3

    try:
        with _readable(path) as address, contextlib.closing(sqlite3.connect(address, uri=True)) as records:
            return records.execute(query, values).fetchall()
    except (OSError, sqlite3.Error):
        return []


@contextlib.contextmanager
def _readable(path: str) -> Iterator[str]:
    """Yield the address of records that are read as they are: not even a lock or a journal is made."""
    log = f"{path}-wal"
    if not os.path.exists(log) or not os.path.getsize(log):
        yield f"file:{path}?mode=ro&immutable=1"
        return
    # What a dnf that was cut off had begun is there and nowhere else; SQLite reads it only where it may write.
    with tempfile.TemporaryDirectory(prefix="pystack-") as folder:
        for each in (path, log):
            shutil.copy(each, folder)
        yield f"file:{os.path.join(folder, os.path.basename(path))}"
