"""How a bundle is made, as the operator sees it."""

from __future__ import annotations

import platform as machine_of
from collections.abc import Mapping, Sequence
from pathlib import Path

from installer.bundle import making, packages
from installer.bundle.from_hosts import DownloadingHost
from installer.bundle.manifest import Infrastructure
from installer.bundle.needs import environments, packages_of
from installer.cli.session import Session
from installer.cloud import Cloud
from installer.report.words import clean, count
from installer.roles import all_roles
from installer.tempest.environment import made_of
from installer.tls import Certificates
from installer.wheels.environment import Environment
from installer.wheels.fetching import MIB

#: What environments are made of, what distributions bring, and the hosts that download that, by address.
Wanted = tuple[list[Environment], list[Infrastructure], Mapping[str, DownloadingHost]]

#: What is told of a platform of which no host was asked.
NAMES_ONLY = (
    "their names are in the manifest, for a mirror of the site: with --platform no host is asked, so versions, and "
    "what else these packages need, are the mirror's; the packages themselves are not in it"
)


def bundled(run: Session, answer_file: str, output: str, platforms: Sequence[str], tempest: bool) -> None:
    """Make a bundle and say what is in it, and what is not.

    Args:
        run: the session.
        answer_file: path of the answer file that it is for.
        output: path of the archive.
        platforms: what hosts run; none: the hosts of the answer file are asked.
        tempest: put in what Tempest is made of.
    """
    release = str(run.answers["CONFIG_OPENSTACK_RELEASE"])
    wanted, infrastructure, hosts = _named(run, platforms) if platforms else _seen(run)
    if tempest:
        wanted.append(made_of(release))
    run.tell({"event": "phase", "name": "bundle"})
    index = str(run.answers["CONFIG_PACKAGE_INDEX"] or "")

    def tell(text: str) -> None:
        run.tell({"event": "progress", "host": "", "step": "bundle", "text": text})

    made = making.make(Path(output), release, wanted, infrastructure, index, tell, hosts)
    run.report.close()
    run.totals.update(members=len(made.manifest.members), bytes=made.size)
    run.tell({"event": "bundle", "path": str(made.path), "members": len(made.manifest.members), "bytes": made.size})
    run.show(summary(made, answer_file))


def _named(run: Session, platforms: Sequence[str]) -> Wanted:
    hosts = making.hosts_of(platforms)
    cloud, roles = Cloud(run.answers, tuple(hosts), Certificates("", {})), all_roles()
    wanted = [item for host in hosts for item in environments(cloud, roles, host, machine_of.machine())]
    named = [(host.platform.name, sorted(packages_of(run.answers, roles, host).names)) for host in hosts]
    return wanted, [Infrastructure(name, packages=_by_name(names), lacks=NAMES_ONLY) for name, names in named], {}


def _by_name(names: Sequence[str]) -> tuple[dict[str, str], ...]:
    return tuple({"name": name} for name in names)


def _seen(run: Session) -> Wanted:
    cloud, needs, answers, hosts = run.operation.survey()
    kinds = {host.platform.name: host.platform for host in cloud.hosts}
    merged = [
        packages.merged(
            name,
            str(kind),
            {host.address: answers[host.address] for host in cloud.hosts if host.platform.name == name},
        )
        for name, kind in kinds.items()
    ]
    return [item for items in needs.values() for item in items], merged, hosts


def summary(made: making.Made, answer_file: str) -> list[tuple[str, str]]:
    """Return what is in a bundle, and what is not and why, each line with its style."""
    lines = [(f"  {one.title}: {count(len(one.files), 'file')}", "") for one in made.manifest.environments.values()]
    for one in made.manifest.platforms:
        inside = sum("member" in item for item in one.packages)
        number = count(len(one.packages), "package")
        number += f" with versions, {inside} of them in the bundle" if one.hosts else " by name"
        unknown = one.lacks and not one.packages
        lines.append((f"  {one.title or one.name}: {'no list of packages' if unknown else number}", ""))
        if one.lacks:
            lines.append((f"    {one.lacks}", "yellow"))
    files = count(len(made.manifest.members), "file")
    lines.append((f"{made.path} is written: {files}, {made.size / MIB:.0f} MiB (mode 0600)", "green"))
    lines.append((f"what to do next:  pystack install --answer-file {answer_file} --bundle {made.path}", ""))
    return [(clean(line), style) for line, style in lines]
