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
        "have rpm make its indexes anew; where that does not help, put back a copy of the folder that rpm --eval "
        "%_dbpath names",
        ("rpmdb --rebuilddb",),
    ),
}


def readable(seen: Seen) -> Iterator[Finding]:
    """The package manager can read what is installed."""
    told = seen.report["packages"]
    if told["problem"]:
        words, commands = MENDING.get(seen.host.platform.package_manager, ("put them right, or use another host", ()))
        yield seen.bad(
            "packages",
            f"what is installed cannot be read: {told['problem']}",
            "nothing can be installed, and nobody knows what is there",
            words,
            *commands,
        )


def once(seen: Seen) -> Iterator[Finding]:
    """No package is there in two versions, as after an upgrade that was cut off."""
    told = seen.report["packages"]
    if told["twice"]:
        yield seen.bad(
            "packages",
            f"there in several versions: {_named(told['twice'])}",
            "an upgrade was cut off before it had removed the older ones; whatever comes next stumbles over them",
            "remove the older ones",
            "dnf --assumeyes remove $(dnf --quiet repoquery --installed --duplicates --latest-limit=-1)",
            outcome="warn",
        )


def finished(seen: Seen) -> Iterator[Finding]:
    """No package is half installed."""
    told = seen.report["packages"]
    names = _named(told["unfinished"])
    why = "an earlier transaction was cut off; whatever comes next stumbles over it"
    if seen.host.platform.package_manager == "apt" and (names or told["interrupted"]):
        repair = ["apt-get --yes --fix-broken install"] if told["damaged"] else []
        yield seen.bad(
            "packages",
            f"not installed to the end: {names}" if names else "dpkg was interrupted",
            why,
            "install begins with finishing them; to see first whether that works, do it yourself",
            "dpkg --force-confold --configure --pending",
            *repair,
            outcome="warn",
        )
    elif told["interrupted"]:
        yield seen.bad(
            "packages",
            "dnf's last transaction did not end well",
            why,
            "see what it was (dnf history info last) and whether all is in order (dnf check); before install brings "
            "packages, it installs anew what one that was cut off has brought",
            outcome="warn",
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
    yield seen.bad(
        "package manager",
        f"{holder['program']} (process {holder['pid']}) is at work with packages",
        "only one can be",
        "none needed, if it ends within some minutes: install waits for it",
        outcome="warn",
    )


#: Nothing can be finished while somebody else is at work.
CHECKS: tuple[Check, ...] = (nobody_else, readable, once, finished)
