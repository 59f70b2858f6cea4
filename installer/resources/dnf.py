"""The package manager of Fedora, RHEL and their relatives: what is installed, and one transaction for what is not."""

from __future__ import annotations

import re
from typing import Collection, FrozenSet, List, Mapping, NamedTuple, Optional, Pattern, Sequence, Set, Tuple

from installer.agent.host import CommandFailed, Completed, Host
from installer.resources import dnf_history, transaction

#: An option of dnf 4 and 5: what it begins is told apart by it from what others begin.
MARK = f"--comment={dnf_history.OWN}"
NOT_FOUND = re.compile(r"^No match for argument: (.+)$", re.MULTILINE)
_NOT_PROVIDED = re.compile(r"^no package provides (.+)$", re.MULTILINE)
# The last is dnf 5's, with version and architecture behind the name.
_SCRIPTLET = re.compile(
    r"scriptlet in rpm package (\S+)|^Error unpacking rpm package (\S+)"
    r"|rror in %\w+ scriptlet: (\S+)-(?:\d+:)?[^-\s]+-[^-\s]+\.\w+$",
    re.MULTILINE,
)
_ERROR = re.compile(
    r"^(?:[Ee]rror: | *Problem(?: \d+)?: | +- | +(?=file /)|\t(?=\S.* is needed by )"
    r"|Transaction failed: (?!Rpm )|(?=OpenPGP check ))(\S.*)",
    re.MULTILINE,
)
# dnf 5's, of what it cannot reinstall: nothing of that name is to be had, or other versions only.
_GONE = re.compile(r"ackages for argument '(\S+)'(?= installed, but not available| are not available in repositories)")
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


def half(host: Host) -> FrozenSet[str]:
    """Return what the packages provide that a transaction of pystack's own left half-done; their names are among it.

    rpm takes those whose files have come for installed. What their scripts and those at the end of the transaction had
    to do was not done, and after a power cut what the files hold may be lost. Changes nothing.
    """
    cut_off = dnf_history.cut_off()
    came = _came(cut_off, host) if cut_off else []
    return frozenset(name for package in came for name in package.provides)


def change(wanted: Sequence[str], unwanted: Sequence[str], host: Host, env: Mapping[str, str]) -> None:
    """Install packages in one transaction, after repairing what an earlier one left; remove others in a further one.

    Args:
        env: additions to the environment: proxies.

    Raises:
        CommandFailed: with the packages and the reason.
    """
    _repair(host, env)
    if wanted:
        argv = ["dnf", "-y", MARK, "--setopt=install_weak_deps=False", "install", *wanted]
        ended = transaction.run(argv, host, progress, env)
        if ended.code != 0 and NOT_FOUND.search(ended.out):
            ended = transaction.run([*argv[:1], "--refresh", *argv[1:]], host, progress, env)
        _check(ended, host)
    if unwanted:
        options = ["-y", MARK, "--setopt=clean_requirements_on_remove=False"]
        _check(transaction.run(["dnf", *options, "remove", *unwanted], host, progress, env), host, "removed")


def _repair(host: Host, env: Mapping[str, str]) -> None:
    """Install anew what came with a transaction of pystack's own that was cut off, then erase what that replaces."""
    cut_off = dnf_history.cut_off()
    came = _came(cut_off, host) if cut_off else []
    if not cut_off or not came:
        return
    host.progress("installing anew what a package transaction of pystack's own left half-done")
    _bring_anew(came, host, env)
    # Not before: whatever fails, a version of each stays.
    names = {package.name for package in came}
    left = [package.version for package in _there(cut_off.replaced, host) if package.name in names]
    if left:
        _check(transaction.run(["rpm", "-e", *left], host, progress, env), host, "erased")


def _bring_anew(came: Sequence[There], host: Host, env: Mapping[str, str]) -> None:
    """Install packages anew, or newer versions of them; fails with the names of those that stayed as they were."""
    versions = [package.version for package in came]
    anew = transaction.run(["dnf", "-y", MARK, "reinstall", *versions], host, progress, env)
    gone = set(_GONE.findall(anew.out)) & set(versions)
    if anew.code != 0 and gone and gone != set(versions):
        # dnf 5 does nothing at all if it cannot do all; dnf 4 goes on without the rest, and says that all went well.
        rest = [version for version in versions if version not in gone]
        anew = transaction.run(["dnf", "-y", MARK, "reinstall", *rest], host, progress, env)
    _tell_scripts(anew, host, "installed anew")
    old = _unchanged(came, host)
    if old:
        # A repository that has a newer version only.
        names = sorted({package.name for package in old})
        _tell_scripts(transaction.run(["dnf", "-y", MARK, "upgrade", *names], host, progress, env), host, "upgraded")
        old = _unchanged(old, host)
    if old:
        which = ", ".join(package.version for package in old)
        # A transaction that ended well is the last one now, even if it brought but some of them.
        again = "any transaction of dnf that ends well ends this" if dnf_history.cut_off() else "this is told once"
        raise CommandFailed(
            anew,
            f"a package transaction of pystack's own was cut off, and what came with it cannot be installed anew: "
            f"{which}; dnf said: {why(anew.out) or 'nothing of it'}; let a repository have them, or install them from "
            f"where they came from, or see that their files are whole (rpm -V), and run the same command again; "
            f"{again}",
        )


def _unchanged(before: Sequence[There], host: Host) -> List[There]:
    """Return those that are the very same as before: neither installed anew nor replaced by another version."""
    now = {(package.instance, package.moment) for package in _there([package.version for package in before], host)}
    return [package for package in before if (package.instance, package.moment) in now]


class There(NamedTuple):
    """An installed package.

    Args:
        version: its name with version and architecture, which rpm and dnf take for it.
        name: with architecture.
        moment: when it was installed, in seconds since 1970.
        instance: its number in rpm's database, another one whenever it is installed anew, within one second, too.
        provides: names that it provides, its own among them.
    """

    version: str
    name: str
    moment: int
    instance: str
    provides: Tuple[str, ...]


_THERE = "%{NVRA}\\t%{NAME}.%{ARCH}\\t%{INSTALLTIME}\\t%{DBINSTANCE}\\t[%{PROVIDENAME} ]\\n"


def _came(cut_off: dnf_history.Last, host: Host) -> List[There]:
    """Return what has come with a transaction; what was there before it, in the same version, is as it was."""
    return [package for package in _there(cut_off.brought, host) if package.moment >= cut_off.begun]


def _there(versions: Collection[str], host: Host) -> List[There]:
    """Return those of these versions that are installed."""
    if not versions:
        return []
    asked = host.run(["rpm", "-q", "--qf", _THERE, *sorted(versions)], expect=None)
    rows = [line.split("\t") for line in asked.out.splitlines() if line.count("\t") == 4]
    return [
        There(version, name, int(moment), instance, tuple(provides.split()))
        for version, name, moment, instance, provides in rows
    ]


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


def why(output: str, verb: str = "installed") -> str:
    """Return in words why dnf or rpm failed, with packages and repositories by name.

    Args:
        output: all that it said.
        verb: what it did with packages.
    """
    parts = []
    for pattern, words in (
        (NOT_FOUND, "no repository of this host has"),
        (_SCRIPTLET, f"failed while being {verb}:"),
        (_REPOSITORY, "cannot be read: repository"),
    ):
        names = _names(pattern, output)
        if names:
            parts.append(f"{words} {names}")
    return "; ".join(parts or dict.fromkeys(line.rstrip(" .:") for line in _ERROR.findall(output)))


def _names(pattern: Pattern[str], output: str) -> str:
    found = ["".join(one) if isinstance(one, tuple) else one.strip() for one in pattern.findall(output)]
    return ", ".join(dict.fromkeys(found))


def _check(ended: Completed, host: Host, verb: str = "installed") -> None:
    if ended.code == 0:
        _tell_scripts(ended, host, verb)
        return
    program = ended.argv[0]
    reason = why(ended.out, verb) or f"ended with code {ended.code}"
    raise CommandFailed(ended, f"{program}: {reason} (the whole output is in {transaction.LOG} on the host)")


def _tell_scripts(ended: Completed, host: Host, verb: str) -> None:
    """Tell whose scripts failed without consequences."""
    failed = _names(_SCRIPTLET, ended.out) if ended.code == 0 else ""
    if failed:
        # rpm and dnf 4 go on all the same, and nothing will ever run those scripts again.
        host.remark(f"scripts failed: {failed}; {verb} all the same (see {transaction.LOG} on the host)")
