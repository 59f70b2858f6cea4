"""Who has the names and the numbers that services' accounts want, as this host's name service sees it. Changes nothing.

The name service may know more than /etc/passwd: NIS, LDAP (nsswitch.conf(5)).
"""

from __future__ import annotations

import functools
import grp
import pwd
from typing import Any, Dict, Mapping, Optional

from installer.agent.patience import answered_within
from installer.resources.account import find_entry, names_in

#: Seconds that a name service may take: one whose server is gone can take minutes.
PATIENCE = 6.0
#: For a kind: how a name is looked up, how a number is, which field of the answer is the name, which the number, and
#: the file of those that are local.
KINDS: Dict[str, Any] = {
    "user": (pwd.getpwnam, pwd.getpwuid, "pw_name", "pw_uid", "/etc/passwd"),
    "group": (grp.getgrnam, grp.getgrgid, "gr_name", "gr_gid", "/etc/group"),
}


def look_up(wanted: Mapping[str, Optional[int]]) -> Dict[str, Any]:
    """Return ``problem`` (empty: none), and ``user`` and ``group``, each by name what is known of it: its ``number``
    (None: there is none of that name), whether it is ``local``, and ``holder``: who has the number that is wanted.
    With a problem nothing is known.

    Args:
        wanted: numbers by name; None: any number will do.
    """
    found = answered_within(PATIENCE, {kind: functools.partial(_look_up, kind, wanted) for kind in KINDS})
    if len(found) < len(KINDS):
        return {"problem": f"no answer within {PATIENCE:.0f} s", **{kind: {} for kind in KINDS}}
    return {"problem": "", **found}


def _look_up(kind: str, wanted: Mapping[str, Optional[int]]) -> Dict[str, Any]:
    by_name, by_number, name_field, number_field, file = KINDS[kind]
    local = names_in(file)
    found = {}
    for name, number in wanted.items():
        entry = find_entry(by_name, name)
        holder = None if number is None else find_entry(by_number, number)
        found[name] = {
            "number": entry and getattr(entry, number_field),
            "local": name in local,
            "holder": holder and getattr(holder, name_field),
        }
    return found
