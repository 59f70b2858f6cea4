"""dnf's own records of its transactions: how the last one ended, and what it was about. Changes nothing."""

from __future__ import annotations

import contextlib
import os
import shutil
import tempfile
from typing import Any, FrozenSet, Iterator, NamedTuple, Optional, Sequence, Tuple

from installer.resources import locks

#: What dnf writes beside a transaction when it is told ``--comment``: by it pystack knows those that it began.
OWN = "pystack"
#: How a transaction ended: well, not at all (it runs, or it was cut off), or with an error that dnf told.
WELL, BEGUN, BADLY = "well", "begun", "badly"


class Last(NamedTuple):
    """The last transaction.

    Args:
        number: dnf's.
        begun: when, in seconds since 1970.
        state: how it ended, see above.
        own: whether it is one of pystack's.
        brought: names with version and architecture, as rpm's ``%{NVRA}``, of what was to be there after it and not, or
            not so, before it.
        replaced: such names of older versions that were to go for those.
    """

    number: int
    begun: int
    state: str
    own: bool
    brought: FrozenSet[str]
    replaced: FrozenSet[str]


class Records(NamedTuple):
    """A database of SQLite, and what to ask it.

    Args:
        path: its file.
        last: asks for number, begin, state and comment of the last transaction.
        packages: asks for action, name, version, release and architecture of each package of the transaction of a
            number.
        states: what those are called that are not ``badly``.
        forward: the actions that bring a package, and ``backward``: those that take away what it replaces.
        backward: see there.
    """

    path: str
    last: str
    packages: str
    states: Sequence[Tuple[Any, str]]
    forward: Sequence[Any]
    backward: Sequence[Any]


#: Of dnf 4 and of dnf 5. Numbers are libdnf's TransactionItemAction: 1 install, 2 downgrade, 3 what that takes away,
#: 4 one that comes for others that are obsolete, 6 upgrade, 7 what that takes away, 9 reinstall.
RECORDS = (
    Records(
        "/var/lib/dnf/history.sqlite",
        "SELECT id, dt_begin, state, comment FROM trans ORDER BY id DESC LIMIT 1",
        "SELECT action, name, version, release, arch FROM trans_item JOIN rpm USING (item_id) WHERE trans_id = ?",
        states=((1, WELL), (0, BEGUN)),
        forward=(1, 2, 4, 6, 9),
        backward=(3, 7),
    ),
    Records(
        "/usr/lib/sysimage/libdnf5/transaction_history.sqlite",
        "SELECT trans.id, dt_begin, trans_state.name, comment FROM trans JOIN trans_state ON state_id = trans_state.id "
        "ORDER BY trans.id DESC LIMIT 1",
        "SELECT trans_item_action.name, pkg_name.name, version, release, arch.name FROM trans_item "
        "JOIN trans_item_action ON action_id = trans_item_action.id JOIN rpm USING (item_id) "
        "JOIN pkg_name ON name_id = pkg_name.id JOIN arch ON arch_id = arch.id WHERE trans_id = ?",
        states=(("Ok", WELL), ("Started", BEGUN)),
        forward=("Install", "Upgrade", "Downgrade", "Reinstall"),
        backward=("Replaced",),
    ),
)


def last(records: Sequence[Records] = RECORDS) -> Optional[Last]:
    """Return the last transaction; None: there was none. A host that had dnf 4 before dnf 5 has records of both."""
    found = [_last(one, *row) for one in records for row in _ask(one.path, one.last)]
    return max(found, key=lambda each: each.begun, default=None)


def not_well(records: Sequence[Records] = RECORDS) -> Optional[Last]:
    """Return the last transaction if it was cut off or ended badly; None: it ended well, or a package manager runs."""
    found = last(records)
    if found is None or found.state == WELL or locks.at_work(locks.RPM, locks.PID_FILES) is not None:
        return None
    # Asked again: it may have ended just before the locks were looked at.
    return found if last(records) == found else None


def cut_off(records: Sequence[Records] = RECORDS) -> Optional[Last]:
    """Return the last transaction if pystack began it and it was cut off; None: it was not, runs, or is another's."""
    found = not_well(records)
    return found if found is not None and found.state == BEGUN and found.own else None


def _last(records: Records, number: int, begun: int, state: Any, comment: Optional[str]) -> Last:
    rows = _ask(records.path, records.packages, (number,))
    brought = [row for row in rows if row[0] in records.forward]
    names = {row[1] for row in brought}
    return Last(
        number,
        begun,
        dict(records.states).get(state, BADLY),
        comment == OWN,
        frozenset(map(_full_name, brought)),
        # Obsolete ones have other names; dnf 5 has one word for both.
        frozenset(_full_name(row) for row in rows if row[0] in records.backward and row[1] in names)
        - frozenset(map(_full_name, brought)),
    )


def _full_name(row: Sequence[str]) -> str:
    _, name, version, release, arch = row
    return f"{name}-{version}-{release}.{arch}"


def _ask(path: str, query: str, values: Tuple[Any, ...] = ()) -> Sequence[Any]:
    """Return what records answer; nothing from those that are not there or damaged."""
    if not os.path.exists(path):
        return []
    try:
        # Slow to load, and not in every small Python.
        import sqlite3
    except ImportError:
        return []
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
