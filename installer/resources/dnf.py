"""The package manager of Fedora, RHEL and their relatives: what is installed, and one transaction for what is not."""

from __future__ import annotations

import re
from typing import Mapping, Optional, Sequence, Set

from installer.agent.host import CommandFailed, Completed, Host
from installer.resources import transaction

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


def change(wanted: Sequence[str], unwanted: Sequence[str], host: Host, env: Mapping[str, str]) -> None:
    """Install packages in one transaction; remove others in a second one.

    Args:
        env: additions to the environment: proxies.

    Raises:
        CommandFailed: with the packages and the reason.
    """
    if wanted:
        argv = ["dnf", "-y", "--setopt=install_weak_deps=False", "install", *wanted]
        ended = transaction.run(argv, host, progress, env)
        if ended.code != 0 and NOT_FOUND.search(ended.out):
            ended = transaction.run([*argv[:1], "--refresh", *argv[1:]], host, progress, env)
        _check(ended)
    if unwanted:
        options = ["-y", "--setopt=clean_requirements_on_remove=False"]
        _check(transaction.run(["dnf", *options, "remove", *unwanted], host, progress, env))


# dnf 4 writes `  Installing       : ra-beta-1.0-1.noarch        1/2`,
# dnf 5 `[1/2] Installing ra-beta-0:1.0-1.noarch 100% | ...`; while it fetches, the line has no word for that.
_STEP_4 = re.compile(r"^  (Installing|Upgrading|Erasing) +: +(\S+) +(\d+)/(\d+)")
_STEP_5 = re.compile(r"^\[ *(\d+)/(\d+)\] (Installing|Upgrading|Removing) +(\S+) +100%")
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
        names = ["".join(found) if isinstance(found, tuple) else found.strip() for found in pattern.findall(output)]
        if names:
            parts.append(f"{words} {', '.join(dict.fromkeys(names))}")
    return "; ".join(parts or dict.fromkeys(line.rstrip(" .:") for line in _ERROR.findall(output)))


def _check(ended: Completed) -> None:
    if ended.code == 0:
        return
    reason = why(ended.out) or f"dnf ended with code {ended.code}"
    raise CommandFailed(ended, f"{reason} (the whole output is in {transaction.LOG} on the host)")
