"""Whether a host's package manager is in order. Pure functions of what its agent found."""

from __future__ import annotations

from collections.abc import Iterator

from installer.outcome import Finding
from installer.preflight.seen import Check, Seen

#: So many names are told.
NAMED = 6


def finished(seen: Seen) -> Iterator[Finding]:
    """No package is half installed."""
    told = seen.report["packages"]
    names = ", ".join(told["unfinished"][:NAMED]) + (", ..." if len(told["unfinished"]) > NAMED else "")
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
    else:
        yield seen.good("packages", "none is half installed")


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
CHECKS: tuple[Check, ...] = (nobody_else, finished)
