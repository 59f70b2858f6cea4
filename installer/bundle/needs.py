"""What an answer file's hosts need of the package index, and whether a bundle has it. No IO but for locks."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from installer.answers import Answers
from installer.bundle.manifest import Manifest
from installer.cloud import Cloud, CloudHost
from installer.outcome import Finding
from installer.plan import Step, build
from installer.resources.package import Package
from installer.resources.package_manager import DNF
from installer.resources.repository import Repository
from installer.resources.secret import Secret
from installer.resources.wheels import list_name
from installer.roles import Role, of_host
from installer.tls import Certificates
from installer.wheels.environment import Environment, environment


def environments(cloud: Cloud, roles: Sequence[Role], host: CloudHost, machine: str) -> list[Environment]:
    """Return what the virtual environments of a host are made of.

    Args:
        cloud: the cloud.
        roles: all roles.
        host: the host; its platform is known.
        machine: its architecture, as ``uname -m`` tells it.
    """
    blobs: dict[str, Path] = {}
    for role in roles:
        blobs.update(role.blobs(cloud))
    found = (item for role in of_host(roles, cloud, host) for item in role.from_index(cloud, host))
    names = [list_name(item.lock, item.build_constraints, item.version, machine) for item in found]
    return [environment(name, blobs.__getitem__) for name in dict.fromkeys(names)]


@dataclass(frozen=True)
class Packages:
    """What a host needs of its distribution.

    Args:
        names: the packages.
        sources: of these, those that bring repositories of others.
        repositories: ids of those that are enabled for them.
    """

    names: tuple[str, ...]
    sources: tuple[str, ...]
    repositories: tuple[str, ...]


def packages(steps: Iterable[Step]) -> Packages:
    """Return what the steps of a host's plan need of its distribution."""
    items = [item for step in steps for item in step.resources]
    wanted = [item for item in items if isinstance(item, Package) and not item.absent]
    enabled = [item for item in items if isinstance(item, Repository)]
    # On RHEL it goes by another name.
    repositories = [name for item in enabled for name in (item.repository, item.subscription) if name]
    names = dict.fromkeys(item.package for item in wanted)
    sources = dict.fromkeys(item.package for item in wanted if item.brings_repositories)
    return Packages(tuple(names), tuple(sources), tuple(repositories))


def packages_of(answers: Answers, roles: Sequence[Role], host: CloudHost) -> Packages:
    """Return what a host needs of its distribution that nobody has looked at.

    Args:
        answers: the answer file.
        roles: all roles.
        host: with the groups that it is to have; its platform is known.
    """
    # What these distributions do by themselves: SELinux enforces. How large it is and its certificate bring no package.
    facts = {
        "memory_mib": 0,
        "cores": 1,
        "selinux": {"now": "enforcing"} if host.platform.package_manager == DNF else {},
    }
    unseen = replace(host, facts=facts)
    certificates = Certificates("", {host.address: ("", Secret(""))})
    return packages(build(Cloud(answers, (unseen,), certificates), roles))


def check(manifest: Manifest, wanted: Mapping[str, Iterable[Environment]], release: str) -> Iterator[Finding]:
    """Yield for each host whether a bundle has what it needs.

    Args:
        manifest: of the bundle.
        wanted: by address, what each host needs.
        release: the one that the answer file asks for.
    """
    has = ", ".join(sorted(one.title for one in manifest.environments.values())) or "nothing"
    for address, items in wanted.items():
        lacks = sorted(item.title for item in items if not _has(manifest, item))
        if not lacks:
            yield Finding("bundle", "success", "has all that the host needs of the package index", host=address)
            continue
        same = set(lacks) & {one.title for one in manifest.environments.values()}
        why = f"it has {has}"
        if manifest.release != release:
            why = f"it is of OpenStack {manifest.release}, and the answer file asks for {release}"
        elif same:
            why = f"it was made by pystack {manifest.pystack} from other locks than this pystack has, or was changed"
        yield Finding(
            "bundle",
            "fail",
            f"does not have {', '.join(lacks)}",
            why,
            "make it again, with this pystack and this answer file: pystack bundle --answer-file FILE",
            address,
        )


def _has(manifest: Manifest, item: Environment) -> bool:
    contents = manifest.environments.get(item.name)
    return contents is not None and item.is_made_of(contents.files)
