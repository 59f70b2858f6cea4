"""Python modules that a host builds for OpenStack's Python, because its distribution has them for another one."""

from __future__ import annotations

import functools
import re
from collections.abc import Mapping, Sequence
from pathlib import Path

from installer import proxies
from installer.cloud import Cloud, CloudHost
from installer.resources.built_module import STAMP, BuiltModule
from roles.openstack import role as openstack

#: Below this each has a folder of its own. SELinux policies take what is in a folder of that name for libraries.
FOLDER = "/opt/pystack/lib"


def built(cloud: Cloud, host: CloudHost, module: str, distribution: str, packages: Sequence[str]) -> BuiltModule:
    """Return a module built for the Python of the cloud's virtual environments.

    Args:
        cloud: the cloud.
        host: where it is built.
        module: the name it is imported by.
        distribution: its name on the package index, and of its lock.
        packages: the distribution's packages with compiler, headers and libraries.
    """
    version = openstack.python_version(host)
    lock, build = locks(distribution)
    return BuiltModule(
        module,
        f"{FOLDER}/{distribution}-{_version(lock)}-python{version}",
        python=openstack.interpreter(host),
        version=version,
        lock=openstack.digest(lock),
        build_constraints=openstack.digest(build),
        packages=tuple(packages),
        uv=openstack.digest(openstack.program()),
        index=openstack.index(cloud.answers),
        proxies=proxies.environment(cloud.answers),
    )


def blobs(distribution: str) -> Mapping[str, Path]:
    """Return the files that a built module names by sha256 (64 hex digits)."""
    return {openstack.digest(path): path for path in (*locks(distribution), openstack.program())}


def locks(distribution: str) -> tuple[Path, Path]:
    """Return the lock of a module, and the one of what builds it."""
    return openstack.LOCKS / f"{distribution}.txt", openstack.LOCKS / f"{distribution}-build.txt"


def reads(module: BuiltModule | None) -> tuple[str, ...]:
    """Return the paths of what changes whenever a module is built anew; units of what imports it read them."""
    return (f"{module.path}/{STAMP}",) if module else ()


@functools.cache
def _version(lock: Path) -> str:
    found = re.search(rf"^{re.escape(lock.stem)}==(\S+)", lock.read_text(encoding="utf-8"), re.MULTILINE)
    if not found:
        raise LookupError(f"{lock} does not name {lock.stem}")
    return found.group(1)
