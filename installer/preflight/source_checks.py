"""Whether packages will come from the sources that they are to come from. Pure functions of what agents found."""

from __future__ import annotations

import fnmatch
import re
from collections.abc import Collection, Iterator, Mapping, Sequence
from typing import Any

from installer.agent.origins import BRINGING
from installer.bundle.needs import packages
from installer.cloud import CloudHost
from installer.outcome import Finding
from installer.plan import PACKAGES, Step
from installer.preflight.seen import Check, Seen
from roles.ceph import client

#: What a name ends with that is one version of several.
_VERSION = re.compile(r"(-?\d[\d.]*)?$")
#: Repositories of EPEL that have a message queue's packages, by their ids.
EPEL = ("epel", "epel-next", "epel-testing", "epel-next-testing")
#: What must not come from there: a package for each pattern of ``LEFT_OUT``.
QUEUE, LEFT_OUT = ("erlang-erts", "rabbitmq-server"), "erlang*,rabbitmq-server"
#: The priority of a repository that says none; lower ones go first (dnf.conf(5)).
PRIORITY = 99


def wanted(seen: Seen) -> tuple[str, ...]:
    """Return the packages that bring repositories to a host."""
    facts = seen.host.platform_facts("base")
    if not seen.cloud.answers["CONFIG_ENABLE_REPOSITORIES"] or not facts:
        return ()
    return (*facts["sources"], *client.sources(seen.cloud, seen.host))


def one_version(seen: Seen) -> Iterator[Finding]:
    """No package is there that brings the same repository in another version than the one that is wanted."""
    there = seen.report["origins"]["bringing"]
    fine = True
    for name in wanted(seen):
        beginning = _VERSION.sub("", name)
        for other in (other for other in there if other != name and _VERSION.sub("", other) == beginning):
            fine = False
            yield _in_the_way(seen, name, other, there[other])
    if fine and seen.host.platform.package_manager == "dnf":
        yield seen.good("package sources", "none is there in another version")


def _in_the_way(seen: Seen, name: str, other: str, needing: list[str]) -> Finding:
    found = f"{other} is installed, and {name} is wanted"
    why = "both have the same file of repositories: dnf refuses the second, and installs nothing"
    if needing:
        return seen.bad(
            "package sources",
            f"{found}; {', '.join(needing)} cannot be without {other}",
            why,
            "remove both, if nothing on this host needs their repositories any more, or use another host; install "
            f"then brings {name}",
            f"dnf remove {' '.join([*needing, other])}",
        )
    return seen.bad(
        "package sources",
        found,
        why,
        "put the one in the other's place, if nothing on this host needs the older repository, or use another host",
        f"dnf swap {other} {name}",
    )


def queue_of_one_source(seen: Seen) -> Iterator[Finding]:
    """Where the message queue is to come from a repository of its own, EPEL's Erlang does not go before that one's."""
    if "queue" not in seen.host.groups or not seen.host.platform_facts("base").get("sources"):
        return
    fine = True
    for name, entry in seen.report["origins"]["repositories"].items():
        left_out = all(any(fnmatch.fnmatch(it, pattern) for pattern in entry["excluded"]) for it in QUEUE)
        if name not in EPEL or left_out or (entry["priority"] or PRIORITY) > PRIORITY:
            continue
        fine = False
        yield seen.bad(
            "message queue",
            f"the repository {name} is enabled, and has an Erlang of its own",
            "dnf takes the one with the highest version, which need not be one that this RabbitMQ runs with",
            "leave those packages out of that repository",
            f"dnf config-manager --save --setopt={name}.excludepkgs='{LEFT_OUT}'",
            outcome="warn",
        )
    if fine:
        yield seen.good("message queue", "Erlang and RabbitMQ come from one source")


def question(steps: Sequence[Step], there: Collection[str]) -> dict[str, Any]:
    """Return what dnf of a host is to be asked for: ``names`` of packages, and ``repositories`` to use besides.

    While a package that brings repositories is still to come, nobody can tell what is in these: then it is those that
    come before all others.

    Args:
        steps: the host's.
        there: the packages that bring repositories and are installed.
    """
    needed = packages(steps)
    if set(needed.sources) - set(there):
        first = packages(step for step in steps if step.name != PACKAGES)
        return {"names": first.names, "repositories": needed.repositories}
    return {"names": needed.names, "repositories": needed.repositories}


def on_offer(host: CloudHost, told: Mapping[str, Any]) -> Iterator[Finding]:
    """dnf finds what is to be installed; while repositories are still to come, what comes before them.

    Args:
        host: the host.
        told: what its agent found; see ``installer.agent.package_offer.lacking``.
    """
    title, missing = "packages to install", told["missing"]
    if told["problem"]:
        why = "what is missing stops the installation"
        remedy = "none needed if that passes; else put it right, and look again"
        found = f"dnf cannot tell which there are: {told['problem']}"
        yield Finding(title, "warn", found, why, remedy, host.address)
    elif not missing:
        yield Finding(title, "success", "dnf finds them", host=host.address)
    else:
        remedies = ["give the host a repository that has what is missing (`dnf repolist` shows those that it has)"]
        if any(BRINGING in name for name in missing):
            remedies.append(
                "RHEL, and perhaps Rocky Linux 10, lacks the release packages of CentOS's groups, which CentOS's "
                "repository extras-common has; or set CONFIG_ENABLE_REPOSITORIES=n, with mirrors of all that they bring"
            )
        if host.platform_facts("rabbitmq").get("package") in missing:
            remedies.append("or name another host in CONFIG_AMQP_HOST")
        found = f"no repository of this host has {', '.join(missing)}"
        yield Finding(title, "fail", found, "the installation would stop there", "; ".join(remedies), host.address)


CHECKS: tuple[Check, ...] = (one_version, queue_of_one_source)
