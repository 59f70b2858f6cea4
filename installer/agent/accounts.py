"""Who has the names and the numbers that accounts want, as this host's name service sees it. Changes nothing.

The name service may know more than /etc/passwd: NIS, LDAP (nsswitch.conf(5)).
"""

from __future__ import annotations

import functools
import grp
import pwd
from concurrent.futures import ThreadPoolExecutor
from typing import Any, Dict, List, Sequence

from installer.agent.host import Host
from installer.agent.patience import answered_within
from installer.resources.account import find_entry, names_in, numbers_in
from installer.resources.texts import text_of

#: Seconds that a name service may take: one whose server is gone can take minutes.
PATIENCE = 6.0
#: A server far away takes its time for each name that it does not know.
SIDE_BY_SIDE = 16
SWITCH = "/etc/nsswitch.conf"
#: For a kind: the database's name for nsswitch.conf(5) and getent(1), how a name is looked up, how a number is, which
#: field of the answer is the name, which the number, and the file of those that are local.
KINDS: Dict[str, Any] = {
    "user": ("passwd", pwd.getpwnam, pwd.getpwuid, "pw_name", "pw_uid", "/etc/passwd"),
    "group": ("group", grp.getgrnam, grp.getgrgid, "gr_name", "gr_gid", "/etc/group"),
}
#: What nsswitch.conf(5) calls those files.
LOCAL = "files"


def look_up(names: Sequence[str], numbers: Sequence[int], host: Host) -> Dict[str, Any]:
    """Return who there is.

    ``problem`` (empty: none; with one nothing else is known); ``user`` and ``group``: by name, ``number`` and
    ``source`` (``files`` is /etc/passwd or /etc/group), or None; ``holders``: by kind and by number as text, the
    ``name`` and ``source`` of who has it, for these numbers and all of this host's own, those that are free left out;
    ``sources``: by kind, what the name service asks, in order.

    Args:
        names: of accounts and groups.
        numbers: uids and gids.
        host: the host.
    """
    found = answered_within(PATIENCE, {kind: functools.partial(_look_up, kind, names, numbers, host) for kind in KINDS})
    if len(found) < len(KINDS):
        return {"problem": "no answer within {:.0f} s".format(PATIENCE)}
    return {
        "problem": "",
        **{kind: found[kind]["names"] for kind in KINDS},
        **{key: {kind: found[kind][key] for kind in KINDS} for key in ("holders", "sources")},
    }


def _look_up(kind: str, names: Sequence[str], numbers: Sequence[int], host: Host) -> Dict[str, Any]:
    database, by_name, by_number, name_field, number_field, file = KINDS[kind]
    order = sources(text_of(SWITCH), database)

    @functools.lru_cache(maxsize=None)
    def source(name: str) -> str:
        # Read anew: what a run that was cut off began on this host may make accounts at this moment.
        return LOCAL if name in names_in(file) else first_that_knows(name, database, order, host)

    with ThreadPoolExecutor(max_workers=SIDE_BY_SIDE) as pool:
        by_names = pool.map(functools.partial(find_entry, by_name), names)
        holders = {number: {"name": name, "source": LOCAL} for name, number in numbers_in(file)}
        others = [number for number in numbers if str(number) not in holders]
        by_numbers = pool.map(functools.partial(find_entry, by_number), others)
        found: Dict[str, Any] = {
            name: entry and {"number": getattr(entry, number_field), "source": source(name)}
            for name, entry in zip(names, by_names)
        }
        for number, entry in zip(others, by_numbers):
            if entry is not None:
                name = getattr(entry, name_field)
                holders[str(number)] = {"name": name, "source": source(name)}
    return {"names": found, "holders": holders, "sources": order}


def sources(text: str, database: str) -> List[str]:
    """Return what is asked for a database, in order, as nsswitch.conf(5) says it; ``files`` where it says nothing.

    Args:
        text: of that file.
        database: such as ``passwd``.
    """
    for line in text.splitlines():
        key, colon, rest = line.partition("#")[0].partition(":")
        if colon and key.strip() == database:
            return [word for word in rest.split() if word[0] != "[" and word[-1] != "]"] or [LOCAL]
    return [LOCAL]


def first_that_knows(name: str, database: str, order: Sequence[str], host: Host) -> str:
    """Return which source of the name service, this host's own files left out, knows a name.

    Args:
        name: of an account or a group.
        database: such as ``passwd``.
        order: all sources.
        host: the host.
    """
    for source in order:
        # Of getent(1): asks one source alone, but for what that one itself looks up, as NIS does.
        one = ["getent", "--service", f"{database}:{source}"]
        if source != LOCAL and host.run([*one, database, name], expect=None).code == 0:
            return source
    return "elsewhere"
