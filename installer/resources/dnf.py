"""The package manager of Fedora, RHEL and their relatives: what is installed, and one transaction for what is not."""

from __future__ import annotations

import re
from typing import Dict, FrozenSet, List, Mapping, Optional, Pattern, Sequence, Set, Tuple

from installer.agent.host import CommandFailed, Completed, Host
from installer.resources import dnf_history, locks, transaction

NOT_FOUND = re.compile(r"^No match for argument: (.+)$", re.MULTILINE)
_NOT_PROVIDED = re.compile(r"^no package provides (.+)$", re.MULTILINE)
# The last is dnf 5's, with version and architecture behind the name.
_SCRIPTLET = re.compile(
    r"scriptlet in rpm package (\S+)|^Error unpacking rpm package (\S+)"
    r"|rror in %\w+ scriptlet: (\S+)-(?:\d+:)?[^-\s]+-[^-\s]+\.\w+$",
    re.MULTILINE,
)
_ERROR = re.compile(
    r"^(?:Error: | *Problem(?: \d+)?: | +- | +(?=file /)|Transaction failed: (?!Rpm )|(?=OpenPGP check ))(\S.*)",
    re.MULTILINE,
)
_REPOSITORY = re.compile(r"for repo(?:sitory)? ['\"]([^'\"]+)['\"]")


def missing(names: Sequence[str], host: Host) -> Set[str]:
    """Return the names that no installed package has or provides. Changes nothing."""
    asked = host.run(["rpm", "-q", "--whatprovides", "--qf", "%{NAME}\\n", *names], expect=None)
    if asked.code == 127 or (asked.code != 0 and not _NOT_PROVIDED.search(asked.out)):
        raise CommandFailed(asked, "rpm cannot tell what is installed")
    return not_provided(asked.out)


def not_provided(output: str) -> Set[str]:
    """Return the names for which ``rpm -q --whatprovides`` found nothing."""
    return set(_NOT_PROVIDED.findall(output))


def torn() -> FrozenSet[str]:
    """Return the packages of a transaction that was cut off. Changes nothing.

    rpm takes those whose files have come for installed. What their scripts and those at the end of the transaction had
    to do was not done, and after a power cut what the files hold may be lost.
    """
    return frozenset() if any(map(locks.holder, locks.RPM)) else dnf_history.cut_off()


def change(wanted: Sequence[str], unwanted: Sequence[str], host: Host, env: Mapping[str, str]) -> None:
    """Install packages in one transaction, after repairing what an earlier one left; remove others in a further one.

    Args:
        env: additions to the environment: proxies.

    Raises:
        CommandFailed: with the packages and the reason.
    """
    _repair(host, env)
    if wanted:
        argv = ["dnf", "-y", "--setopt=install_weak_deps=False", "install", *wanted]
        ended = transaction.run(argv, host, progress, env)
        if ended.code != 0 and NOT_FOUND.search(ended.out):
            ended = transaction.run([*argv[:1], "--refresh", *argv[1:]], host, progress, env)
        _check(ended, host)
    if unwanted:
        options = ["-y", "--setopt=clean_requirements_on_remove=False"]
        _check(transaction.run(["dnf", *options, "remove", *unwanted], host, progress, env), host)


def _repair(host: Host, env: Mapping[str, str]) -> None:
    names = torn()
    asked = host.run(["rpm", "-q", "--qf", _INSTANCES, *sorted(names)], expect=None).out if names else ""
    there = instances(asked)
    if not there:
        return
    host.progress("installing anew what an earlier package transaction may have left half-done")
    replaced = [version for versions in there.values() for version in versions[:-1]]
    if replaced:
        _check(transaction.run(["rpm", "-e", *replaced], host, progress, env), host)
    anew = ended = transaction.run(["dnf", "-y", "reinstall", *sorted(there)], host, progress, env)
    if anew.code != 0:
        # A repository that has a newer version only.
        ended = transaction.run(["dnf", "-y", "upgrade", *sorted(there)], host, progress, env)
    _check(ended, host)
    if torn():
        what = f"dnf's last transaction was cut off, and what it brought cannot be installed anew: {', '.join(there)}"
        raise CommandFailed(anew, f"{what}; dnf said: {why(anew.out)} (see `dnf history info last`)")


# A line for each instance: package, when it was installed, which one it is, and what it provides.
_INSTANCES = "%{NAME}.%{ARCH}\\t%{INSTALLTIME}\\t%{NVRA}\\t[%{PROVIDENAME} ]\\n"


def instances(output: str) -> Dict[str, List[str]]:
    """Return the versions of each package that rpm has, the one that was installed last at the end.

    Args:
        output: of rpm, in the format above. Of kernels and the like, which are there in several versions, only the last
            is told.
    """
    found: Dict[str, List[Tuple[int, str]]] = {}
    for package, moment, version, provides in (line.split("\t") for line in output.splitlines() if "\t" in line):
        several = "installonlypkg(" in provides or " kernel " in f" {provides}"
        others = [] if several else [one for one in found.get(package, []) if one[1] != version]
        found[package] = sorted([*others, (int(moment), version)])
    return {package: [version for _, version in versions] for package, versions in found.items()}


# dnf 4 writes `  Installing       : ra-beta-1.0-1.noarch        1/2`,
# dnf 5 `[1/2] Installing ra-beta-0:1.0-1.noarch 100% | ...`; while it fetches, the line has no word for that.
_STEP_4 = re.compile(r"^  (Installing|Reinstalling|Upgrading|Erasing) +: +(\S+) +(\d+)/(\d+)")
_STEP_5 = re.compile(r"^\[ *(\d+)/(\d+)\] (Installing|Reinstalling|Upgrading|Removing) +(\S+) +100%")
_FETCH_4 = re.compile(r"^\((\d+)/(\d+)\): (\S+)\.rpm ")
_FETCH_5 = re.compile(r"^\[ *(\d+)/(\d+)\] (\S+-\S+) +100%")
# dnf 5 lists the processes that it waits for, each with a tab behind its number.
_WAIT = re.compile(r"^(?:Waiting for process with pid (\d+)|(\d+)\t\S)")


def progress(line: str) -> Optional[str]:
    """Return what to tell for a line of dnf's output, or None."""
    four, five, waiting = (pattern.match(line) for pattern in (_STEP_4, _STEP_5, _WAIT))
    fetched = _FETCH_4.match(line) or _FETCH_5.match(line)
    if four:
        return f"packages {four.group(3)} of {four.group(4)}: {four.group(1)} {four.group(2)}"
    if five:
        return f"packages {five.group(1)} of {five.group(2)}: {five.group(3)} {five.group(4)}"
    if fetched:
        return f"packages {fetched.group(1)} of {fetched.group(2)}: Fetching {fetched.group(3)}"
    if waiting:
        return transaction.waiting_for(int(waiting.group(1) or waiting.group(2)))
    return None


def why(output: str) -> str:
    """Return in words why dnf failed, with packages and repositories by name."""
    parts = []
    for pattern, words in (
        (NOT_FOUND, "no repository of this host has"),
        (_SCRIPTLET, "failed while being installed:"),
        (_REPOSITORY, "cannot be read: repository"),
    ):
        names = _names(pattern, output)
        if names:
            parts.append(f"{words} {names}")
    return "; ".join(parts or dict.fromkeys(line.rstrip(" .:") for line in _ERROR.findall(output)))


def _names(pattern: Pattern[str], output: str) -> str:
    found = ["".join(one) if isinstance(one, tuple) else one.strip() for one in pattern.findall(output)]
    return ", ".join(dict.fromkeys(found))


def _check(ended: Completed, host: Host) -> None:
    if ended.code == 0:
        failed = _names(_SCRIPTLET, ended.out)
        if failed:
            # For rpm and dnf 4 they are installed all the same, and nothing will ever run those scripts again.
            host.progress(f"installed, though scripts of theirs failed (see {transaction.LOG} on the host): {failed}")
        return
    reason = why(ended.out) or f"dnf ended with code {ended.code}"
    raise CommandFailed(ended, f"{reason} (the whole output is in {transaction.LOG} on the host)")
