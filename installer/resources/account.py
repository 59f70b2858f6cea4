"""Accounts and groups of services. What exists is used; nobody is renumbered and nobody is taken out of a group."""

from __future__ import annotations

import dataclasses
import grp
import os
import pwd
from typing import Any, Callable, ClassVar, Dict, List, Optional, Sequence, Tuple

from installer.agent.host import Host
from installer.resources.base import Actual, CannotFix, Resource, State

LOCAL = "this host"
FOREIGN = "a name service outside of this host"
#: Makes useradd(8) and groupadd(8) look at /etc/passwd and /etc/group alone, whoever a name service knows. For "/"
#: itself they would ignore the option (shadow 4.17, lib/prefix_flag.c: process_prefix_flag); and SELinux, which labels
#: the new files by the path, takes several slashes for one (libselinux, src/label_file.c).
FILES_ALONE = ("--prefix", "//")


@dataclasses.dataclass(frozen=True)
class Group(Resource):
    """A local group.

    Args:
        group: its name.
        gid: the id that it must have.
        preferred_gid: the id that it gets if it is made now and the id is free.
        system: it is numbered among those of the system if no id is given.
        in_front: it is made even where a name service such as NIS has a group of that name, which this host no longer
            sees then.
    """

    kind: ClassVar[str] = "group"

    group: str
    gid: Optional[int] = None
    preferred_gid: Optional[int] = None
    system: bool = True
    in_front: bool = False

    @property
    def name(self) -> str:
        return self.group

    def expected(self) -> State:
        return {"source": LOCAL, **({} if self.gid is None else {"gid": self.gid})}

    @classmethod
    def query(cls, resources: Sequence[Group], host: Host) -> Dict[str, Actual]:
        local = names_in("/etc/group")
        return {resource.id: resource.state(find_entry(grp.getgrnam, resource.group), local) for resource in resources}

    def state(self, found: Optional[grp.struct_group], local: Sequence[str]) -> Actual:
        """Return the actual state from what the name service says, and the names of local groups."""
        if found is None or (self.in_front and self.group not in local):
            return None
        state: Dict[str, Any] = {"source": LOCAL if self.group in local else FOREIGN}
        return state if self.gid is None else {**state, "gid": found.gr_gid}

    def fix(self, actual: Actual, host: Host) -> None:
        if isinstance(actual, dict):
            refuse_existing(f"group {self.group}", "gid", actual, self.expected() or {})
        taken = _gid_taken
        gid = chosen_id(f"group {self.group}", self.gid, self.preferred_gid, taken)
        options = [*(["--system"] if self.system else []), *([] if gid is None else ["--gid", str(gid)])]
        behind = find_entry(grp.getgrnam, self.group)
        host.run(["groupadd", *(FILES_ALONE if behind else ()), *options, self.group])
        if behind:
            check_in_front(f"group {self.group}", grp.getgrnam(self.group) != behind)


@dataclasses.dataclass(frozen=True)
class User(Resource):
    """A local account.

    Args:
        user: its name.
        group: name of its primary group, which must exist.
        uid: the id that it must have.
        preferred_uid: the id that it gets if it is made now and the id is free.
        in_front: it is made even where a name service such as NIS has an account of that name, which this host no
            longer sees then.
        groups: further groups that it must be in, which must exist; others that it is in are left alone.
        home: absolute path; not made by this.
        shell: absolute path.
        system: it is numbered among those of the system if no id is given.
        comment: what it is for, in a few words.
    """

    kind: ClassVar[str] = "user"

    user: str
    group: str
    uid: Optional[int] = None
    preferred_uid: Optional[int] = None
    groups: Tuple[str, ...] = ()
    home: str = "/nonexistent"
    shell: str = "/usr/sbin/nologin"
    system: bool = True
    comment: str = ""
    in_front: bool = False

    @property
    def name(self) -> str:
        return self.user

    def expected(self) -> State:
        return {
            "source": LOCAL,
            **({} if self.uid is None else {"uid": self.uid}),
            "group": self.group,
            "groups": sorted(self.groups),
            "home": self.home,
            "shell": self.shell,
            "comment": self.comment,
        }

    @classmethod
    def query(cls, resources: Sequence[User], host: Host) -> Dict[str, Actual]:
        local = names_in("/etc/passwd")
        return {resource.id: resource._look(local) for resource in resources}

    def _look(self, local: Sequence[str]) -> Actual:
        found = find_entry(pwd.getpwnam, self.user)
        if found is None or (self.in_front and self.user not in local):
            return None
        return self.state(found, _group_name(found.pw_gid), _groups_of(found), local)

    def state(self, found: pwd.struct_passwd, group: str, groups: Sequence[str], local: Sequence[str]) -> Actual:
        """Return the actual state.

        Args:
            found: what the name service says.
            group: name of the primary group.
            groups: names of all groups that it is in.
            local: names of local accounts.
        """
        return {
            "source": LOCAL if self.user in local else FOREIGN,
            **({} if self.uid is None else {"uid": found.pw_uid}),
            "group": group,
            "groups": sorted(set(self.groups) & set(groups)),
            "home": found.pw_dir,
            "shell": found.pw_shell,
            "comment": found.pw_gecos,
        }

    def fix(self, actual: Actual, host: Host) -> None:
        if isinstance(actual, dict):
            refuse_existing(f"account {self.user}", "uid", actual, self.expected() or {})
            host.run(["usermod", *self.changes(actual), self.user])
            return
        uid = chosen_id(f"account {self.user}", self.uid, self.preferred_uid, _uid_taken)
        behind = find_entry(pwd.getpwnam, self.user)
        host.run(
            [
                "useradd",
                *(FILES_ALONE if behind else ()),
                *(["--system"] if self.system else []),
                *([] if uid is None else ["--uid", str(uid)]),
                *("--gid", self.group),
                *(["--groups", ",".join(self.groups)] if self.groups else []),
                *("--home-dir", self.home),
                "--no-create-home",
                *("--shell", self.shell),
                *("--comment", self.comment),
                self.user,
            ]
        )
        if behind:
            check_in_front(f"account {self.user}", pwd.getpwnam(self.user) != behind)

    def changes(self, actual: Dict[str, Any]) -> List[str]:
        """Return usermod's options for what differs."""
        options = []
        for key, option in (("group", "--gid"), ("home", "--home"), ("shell", "--shell"), ("comment", "--comment")):
            wanted = (self.expected() or {})[key]
            if actual[key] != wanted:
                options += [option, wanted]
        lacking = [group for group in self.groups if group not in actual["groups"]]
        return [*options, *(["--append", "--groups", ",".join(lacking)] if lacking else [])]


def refuse_existing(what: str, key: str, actual: Dict[str, Any], expected: Dict[str, Any]) -> None:
    """Refuse to touch an account or group that is somebody else's.

    Args:
        what: it in words.
        key: ``uid`` or ``gid``.

    Raises:
        CannotFix: it comes from a name service, or has another id.
    """
    if actual["source"] != LOCAL:
        raise CannotFix(
            f"{what} exists already, and not on this host: it comes from a name service such as NIS or LDAP "
            "(see /etc/nsswitch.conf), which pystack does not change and does not take the name from"
        )
    if actual.get(key) != expected.get(key):
        raise CannotFix(
            f"{what} exists already with {key} {actual[key]}, and {expected[key]} is wanted; pystack does not renumber "
            f"it, because files may belong to {actual[key]}: take the wanted id out of the answer file, or remove "
            f"{what} if nothing needs it"
        )


def check_in_front(what: str, seen: bool) -> None:
    """Make sure that this host sees its own entry, not the one of a name service behind it.

    Args:
        what: it in words.
        seen: whether it does already.

    Raises:
        CannotFix: the name service is asked first.
    """
    if not seen:
        raise CannotFix(
            f"{what} was made on this host, which still sees the one of its name service: in /etc/nsswitch.conf, "
            "passwd and group must name files first"
        )


def chosen_id(
    what: str, forced: Optional[int], preferred: Optional[int], taken: Callable[[int], Optional[str]]
) -> Optional[int]:
    """Return the id for a new account or group; None leaves it to the system.

    Args:
        what: it in words.
        taken: returns the name that has an id, or None.

    Raises:
        CannotFix: the id that it must have is taken.
    """
    if forced is not None:
        owner = taken(forced)
        if owner is not None:
            raise CannotFix(f"{what} must have id {forced}, which {owner} has already")
        return forced
    return preferred if preferred is not None and taken(preferred) is None else None


def names_in(path: str) -> List[str]:
    """Return the names in /etc/passwd or /etc/group: what is local, whatever the name service adds."""
    with open(path, encoding="utf-8", errors="replace") as stream:
        return [line.partition(":")[0] for line in stream]


def numbers_in(path: str) -> List[Tuple[str, str]]:
    """Return the names and the numbers in /etc/passwd or /etc/group."""
    with open(path, encoding="utf-8", errors="replace") as stream:
        fields = [line.split(":") for line in stream]
    return [(field[0], field[2]) for field in fields if len(field) > 2 and field[2].isdigit()]


def find_entry(look_up: Callable[[Any], Any], key: Any) -> Any:
    """Return what the name service says of a name or a number, or None."""
    try:
        return look_up(key)
    except KeyError:
        return None


def _uid_taken(uid: int) -> Optional[str]:
    found = find_entry(pwd.getpwuid, uid)
    return found and str(found.pw_name)


def _gid_taken(gid: int) -> Optional[str]:
    found = find_entry(grp.getgrgid, gid)
    return found and str(found.gr_name)


def _group_name(gid: int) -> str:
    return _gid_taken(gid) or str(gid)


def _groups_of(found: pwd.struct_passwd) -> List[str]:
    return [_group_name(gid) for gid in os.getgrouplist(found.pw_name, found.pw_gid)]
