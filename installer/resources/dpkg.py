"""The package manager of Debian and Ubuntu: what is installed, and one transaction for what is not."""

from __future__ import annotations

import os
import re
import time
from pathlib import Path
from typing import Dict, FrozenSet, Iterator, List, Mapping, NamedTuple, Optional, Sequence, Set

from installer.agent.host import CommandFailed, Completed, Host
from installer.resources import transaction

FORMAT = "${db:Status-Abbrev}\t${Package}\t${Provides}\n"
DAY = 86400.0

ENVIRONMENT = {
    "DEBIAN_FRONTEND": "noninteractive",
    "APT_LISTCHANGES_FRONTEND": "none",
    # Ubuntu's needrestart would restart services in the middle of the transaction.
    "NEEDRESTART_SUSPEND": "yes",
}
#: A configuration file that somebody has changed stays as it is. Without a terminal there are no prompts.
OPTIONS = (
    "--no-install-recommends",
    *("-o", "Dpkg::Options::=--force-confold"),
    *("-o", "DPkg::Use-Pty=0"),
    *("-o", "Acquire::Retries=3"),
    # Seconds to wait for others, such as the upgrades that a host makes by itself after it has booted.
    *("-o", "DPkg::Lock::Timeout=600"),
)


class Packages(NamedTuple):
    """What dpkg knows: state by name (installed, absent, half-configured), and names provided by installed ones."""

    states: Dict[str, str]
    provided: FrozenSet[str]

    def state(self, name: str, provided: bool) -> str:
        """Return the state of a package; with ``provided``, another package may stand in for it."""
        own = self.states.get(name, "absent")
        return "installed" if own == "absent" and provided and name in self.provided else own

    @property
    def half_configured(self) -> List[str]:
        """The packages that an earlier transaction left unfinished."""
        return sorted(name for name, state in self.states.items() if state == "half-configured")


def query(host: Host) -> Packages:
    """Return what dpkg knows, in one command. Changes nothing."""
    return parse(host.run(["dpkg-query", "-W", "-f", FORMAT]).out)


def parse(output: str) -> Packages:
    """Parse dpkg-query(1) output in ``FORMAT``; its second status letter is the package's own state."""
    states: Dict[str, str] = {}
    provided: Set[str] = set()
    for line in output.splitlines():
        status, name, provides = line.split("\t")
        found = _state(status)
        # Of a package that is there for two architectures, the one that needs a repair counts, then the installed one.
        if states.get(name, "absent") == "absent" or found == "half-configured":
            states[name] = found
        if found == "installed":
            provided.update(_plain_names(provides))
    return Packages(states, frozenset(provided))


def _state(status: str) -> str:
    own, error = status[1], status[2:].strip()
    if own in "nc":
        return "absent"
    return "installed" if own == "i" and not error else "half-configured"


def _plain_names(relations: str) -> Iterator[str]:
    for relation in relations.split(","):
        name = relation.split("(")[0].strip().split(":")[0]
        if name:
            yield name


def change(wanted: Sequence[str], unwanted: Sequence[str], host: Host, env: Mapping[str, str]) -> None:
    """Install and remove packages in one transaction, after repairing what an earlier one left.

    Args:
        env: additions to the environment: what holds services back, and proxies.

    Raises:
        CommandFailed: with the packages and the reason.
    """
    env = {**ENVIRONMENT, **env}
    if query(host).half_configured or _updates_pending():
        _repair(host, env)
    updated = lists_are_old(time.time())
    if updated:
        _update(host, env)
    names = [*wanted, *(f"{name}-" for name in unwanted)]
    argv = ["apt-get", "-qy", *OPTIONS, "install", *names]
    ended = transaction.run(argv, host, Progress(), env)
    if ended.code != 0 and not updated and NOT_FOUND.search(ended.out):
        _update(host, env)
        ended = transaction.run(argv, host, Progress(), env)
    _tell_dbus(host)
    _check(ended)


def _tell_dbus(host: Host) -> None:
    """Have D-Bus read its rules again: that is held back too, and accounts are made after the rules that name them."""
    host.run([*("busctl", "call"), *("org.freedesktop.DBus", "/", "org.freedesktop.DBus", "ReloadConfig")], expect=None)


def lists_are_old(now: float, root: Path = Path("/")) -> bool:
    """Tell whether apt's package lists are missing, older than a day, or older than the list of sources.

    Args:
        now: seconds since 1970.
        root: where the host's file system is.
    """
    lists, apt = root / "var/lib/apt/lists", root / "etc/apt"
    partial = lists / "partial"
    if not any(lists.glob("*Packages*")) or not partial.is_dir():
        return True
    # Every `apt-get update` creates and removes files there, even when the archive has nothing new.
    updated = partial.stat().st_mtime
    sources = [apt / "sources.list", apt / "sources.list.d", *apt.glob("sources.list.d/*")]
    changed = max((path.stat().st_ctime for path in sources if path.exists()), default=0.0)
    return now - updated > DAY or changed > updated


def _updates_pending() -> bool:
    folder = "/var/lib/dpkg/updates"
    return os.path.isdir(folder) and any(name.isdigit() for name in os.listdir(folder))


def _repair(host: Host, env: Mapping[str, str]) -> None:
    host.progress("finishing what an earlier package transaction left half-configured")
    transaction.run(["dpkg", "--force-confold", "--configure", "--pending"], host, Progress(), env)
    # apt can mend what dpkg alone cannot, such as a missing dependency, so its word counts.
    _check(transaction.run(["apt-get", "-qy", "-f", *OPTIONS, "install"], host, Progress(), env))


def _update(host: Host, env: Mapping[str, str]) -> None:
    host.progress("reading the package lists")
    _check(transaction.run(["apt-get", "-q", *OPTIONS, "update"], host, Progress(), env))


NOT_FOUND = re.compile(
    r"^E: Unable to locate package (\S+)|^E: Package '(\S+)' has no installation candidate"
    r"|^E: Failed to fetch (\S+) +404",
    re.MULTILINE,
)
_BROKEN = re.compile(r"^dpkg: error processing (?:package|archive) (\S+)", re.MULTILINE)
_UNMET = re.compile(r"^ +(\S+) : (?:Depends|PreDepends|Conflicts|Breaks): ", re.MULTILINE)
_UNREACHABLE = re.compile(r"^[EW]: Failed to fetch (\S+)", re.MULTILINE)
_ERROR = re.compile(r"^E: (.+)", re.MULTILINE)
_FIRST_ERROR = re.compile(r"^(?:dpkg: error|E: |W: Failed to fetch)", re.MULTILINE)


def why(output: str) -> str:
    """Return in words why apt or dpkg failed, with the packages by name; in its own words if nothing is known."""
    parts = []
    for pattern, words in (
        (NOT_FOUND, "no package source of this host has"),
        (_UNMET, "cannot be installed beside what is there:"),
        (_BROKEN, "failed while being installed or configured:"),
        (_UNREACHABLE, "could not be fetched:"),
    ):
        names = [
            "".join(part for part in found if part) if isinstance(found, tuple) else found
            for found in pattern.findall(output)
        ]
        if names:
            parts.append(f"{words} {', '.join(dict.fromkeys(names))}")
    return "; ".join(parts or dict.fromkeys(_ERROR.findall(output)))


def excerpt(output: str, before: int = 6, after: int = 4) -> str:
    """Return the lines around the first error: the end of the output only says that there was one."""
    first = _FIRST_ERROR.search(output)
    if first is None:
        return output
    head = output[: first.start()].splitlines()[-before:]
    return "\n".join([*head, *output[first.start() :].splitlines()[:after]])


def _check(ended: Completed) -> None:
    if ended.code == 0:
        return
    reason = why(ended.out) or f"{ended.argv[0]} ended with code {ended.code}"
    advice = f"the whole output is in {transaction.LOG} on the host"
    raise CommandFailed(ended._replace(out=excerpt(ended.out)), f"{reason} ({advice})")


_COUNT = re.compile(r"^(\d+) upgraded, (\d+) newly installed, (\d+) to remove")
_FETCH = re.compile(r"^Get:\d+ \S+ \S+ \S+ (\S+) \S+ \S+ \[")
_STEP = re.compile(r"^(Unpacking|Setting up|Removing) (\S+) \(")


class Progress:
    """Turns apt's lines into ``packages 57 of 241: Setting up mariadb-server``."""

    def __init__(self) -> None:
        self._total = 0
        self._done: Dict[str, int] = {}

    def __call__(self, line: str) -> Optional[str]:
        """Return what to tell for a line of output, or None."""
        counted = _COUNT.match(line)
        if counted:
            self._total = int(counted.group(1)) + int(counted.group(2))
            return None
        fetched = _FETCH.match(line)
        step = _STEP.match(line)
        if fetched:
            return self._say("Fetching", fetched.group(1))
        return self._say(step.group(1), step.group(2).split(":")[0]) if step else None

    def _say(self, what: str, package: str) -> str:
        self._done[what] = self._done.get(what, 0) + 1
        return f"packages {self._done[what]} of {max(self._total, self._done[what])}: {what} {package}"
