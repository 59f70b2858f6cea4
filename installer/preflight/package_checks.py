"""Whether a host's package manager is in order. Pure functions of what its agent found."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

from installer.outcome import Finding
from installer.preflight.seen import Check, Seen

#: So many names are told.
NAMED = 6


#: What puts the package manager's records right, in words and as commands, by the package manager.
MENDING: Mapping[str, tuple[str, tuple[str, ...]]] = {
    "apt": ("put back an earlier copy of /var/lib/dpkg/status: status-old beside it, or one from /var/backups", ()),
    "dnf": (
        "keep a copy of the records, then have rpm make its indexes anew; where that does not help, put back an "
        "earlier copy of that folder",
        ('cp -a "$(rpm --eval %_dbpath)/." /root/rpmdb.before', "rpmdb --rebuilddb"),
    ),
}
#: What the package manager says where its records are not at fault, and what puts that right. SQLite has words of its
#: own for a full disk; those of its for a file that it may not write come with a lost index, too.
ELSEWHERE: Mapping[str, str] = {
    "disk is full": "make room on the file system of /var and /usr, and look again",
    "cannot be started": "install it: without it this host cannot be managed",
    "no space left on device": "make room on the file system of /var and /usr, and look again",
    "read-only file system": "find out why /var and /usr can only be read (dmesg), and look again",
}


def readable(seen: Seen) -> Iterator[Finding]:
    """The package manager can read what is installed."""
    problem = seen.report["packages"]["problem"]
    if problem:
        words, commands = MENDING.get(seen.host.platform.package_manager, ("put them right, or use another host", ()))
        for said, remedy in ELSEWHERE.items():
            if said in problem.lower():
                words, commands = remedy, ()
        yield seen.bad(
            "packages",
            f"what is installed cannot be read: {problem}",
            "nothing can be installed, and nobody knows what is there",
            words,
            *commands,
        )


def once(seen: Seen) -> Iterator[Finding]:
    """No package is there in two versions, as after an upgrade that was cut off."""
    told = seen.report["packages"]
    # What pystack's own transaction left, install puts right: `finished` tells of it.
    if told["twice"] and told["last"] != "own":
        yield seen.bad(
            "packages",
            f"there in several versions: {_named(told['twice'])}",
            "an upgrade was cut off before it had removed the older ones; whatever comes next stumbles over them",
            "see which there are, and erase the older ones one by one (rpm -e with name and version, which refuses "
            "what others need)",
            f"rpm -q --last {' '.join(told['twice'])}",
            outcome="warn",
        )


#: Of dnf's last transaction, by how it ended: what is told, and what helps.
LAST: Mapping[str, tuple[str, str]] = {
    "own": (
        "dnf's last transaction, one of pystack's, was cut off",
        "none needed: before install brings packages, it installs anew what that one had brought",
    ),
    "begun": (
        "dnf's last transaction, which pystack did not begin, was cut off",
        "see what it was (dnf history info last) and whether all is in order (dnf check); install anew what it had "
        "brought (dnf reinstall); install leaves that alone. It is told of until another transaction ends well",
    ),
    "badly": (
        "dnf's last transaction ended with an error",
        "see what it was (dnf history info last) and whether all is in order (dnf check). It is told of until another "
        "transaction ends well",
    ),
}


def finished(seen: Seen) -> Iterator[Finding]:
    """No package is half installed."""
    told = seen.report["packages"]
    names = _named(told["unfinished"])
    if names or told["interrupted"]:
        repair = ["apt-get --yes --fix-broken install"] if told["damaged"] else []
        yield seen.bad(
            "packages",
            f"not installed to the end: {names}" if names else "dpkg was interrupted",
            "an earlier transaction was cut off; whatever comes next stumbles over it",
            "install begins with finishing them; to see first whether that works, do it yourself",
            "dpkg --force-confold --configure --pending",
            *repair,
            outcome="warn",
        )
    elif told["last"]:
        found, remedy = LAST[told["last"]]
        yield seen.bad(
            "packages", found, "packages may be there without all that belongs to them", remedy, outcome="warn"
        )
    elif not told["problem"] and not told["twice"]:
        yield seen.good("packages", "none is half installed")


def _named(names: Sequence[str]) -> str:
    return ", ".join(names[:NAMED]) + (", ..." if len(names) > NAMED else "")


def nobody_else(seen: Seen) -> Iterator[Finding]:
    """Nobody else is at work with the package manager."""
    holder = seen.report["packages"]["holder"]
    # While another installer holds the host, it is that one.
    if not holder or seen.report["lock"] is not None:
        yield seen.good("package manager", "free")
        return
    who = f"{holder['program']} (process {holder['pid']})" if holder["pid"] else "a process of another container"
    file = holder["file"]
    yield seen.bad(
        "package manager",
        f"{who} is at work with packages" + (f", says {file}" if file else ""),
        "only one can be",
        "none needed, if it ends within some minutes: install waits for it"
        + (
            f"; a power cut leaves that file, too: if the process has nothing to do with packages, rm {file}"
            if file
            else ""
        ),
        outcome="warn",
    )


#: Nothing can be finished while somebody else is at work.
CHECKS: tuple[Check, ...] = (nobody_else, readable, once, finished)
