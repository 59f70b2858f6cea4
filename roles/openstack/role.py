"""OpenStack itself: a virtual environment per release and for each service that goes apart, from locks with hashes."""

from __future__ import annotations

import functools
import hashlib
from collections.abc import Iterable, Mapping
from pathlib import Path

from uv import find_uv_bin

from installer import proxies
from installer.answers import Answers
from installer.cloud import Cloud, CloudHost
from installer.paths import ROLES
from installer.render import rendered_file
from installer.resources.base import Resource
from installer.resources.file import Directory
from installer.resources.secret import Secret
from installer.resources.virtual_environment import STAMP, VirtualEnvironment
from installer.roles import Role
from roles.tls import role as tls

LOCKS = ROLES / "openstack" / "locks"
#: Services with a virtual environment and a lock of their own. Heat brings the clients of some 15 more services along,
#: one of which makes every `openstack` command of its environment begin with a warning.
APART = ("heat",)
#: EnvironmentFile of every unit.
ENVIRONMENT = "/etc/pystack/env"


class OpenStack(Role):
    """The virtual environment on every host that runs a service of OpenStack."""

    name = "openstack"
    title = "OpenStack from the package index"
    groups = ("controller", "network", "compute", "storage")
    after_here = ("base",)
    # It needs nothing but an interpreter, so it is made while the distribution's packages are installed.
    waits_for_packages = False

    def resources(self, cloud: Cloud, host: CloudHost) -> Iterable[Resource]:
        yield rendered_file(ENVIRONMENT, "openstack/services.env.j2", home=home(cloud), bundle=tls.ROLE.bundle(host))
        yield Directory("/opt/pystack")
        yield from self.from_index(cloud, host)

    def from_index(self, cloud: Cloud, host: CloudHost) -> Iterable[VirtualEnvironment]:
        yield virtual_environment(cloud, host)

    def blobs(self, cloud: Cloud) -> Mapping[str, Path]:
        return blobs(cloud)


def virtual_environment(cloud: Cloud, host: CloudHost, service: str = "") -> VirtualEnvironment:
    """Return the virtual environment that a service of the cloud's release lives in (see ``home``)."""
    lock, build = map(digest, locks(cloud.release, service))
    return VirtualEnvironment(
        home(cloud, service),
        python=interpreter(host),
        version=python_version(host),
        lock=lock,
        build_constraints=build,
        uv=digest(program()),
        index=index(cloud.answers),
        proxies=proxies.environment(cloud.answers),
    )


def blobs(cloud: Cloud, service: str = "") -> Mapping[str, Path]:
    """Return the files that the virtual environment of a service names by sha256 (64 hex digits)."""
    return {digest(path): path for path in (*locks(cloud.release, service), program())}


def home(cloud: Cloud, service: str = "") -> str:
    """Return where the virtual environment of the cloud's release is.

    Args:
        cloud: the cloud.
        service: who lives there; one of ``APART`` has its own, and all others share one.
    """
    return f"/opt/pystack/{_named(cloud.release, service)}"


def site_packages(cloud: Cloud, host: CloudHost) -> str:
    """Return where the packages of the virtual environment are on a host."""
    return f"{home(cloud)}/lib/python{python_version(host)}/site-packages"


def interpreter(host: CloudHost) -> str:
    """Return the path of the Python that OpenStack runs with on a host."""
    return str(ROLE.facts(host)["python"])


def python_version(host: CloudHost) -> str:
    """Return the version of the Python that OpenStack runs with on a host: major and minor, such as ``3.12``."""
    return interpreter(host).rpartition("python")[2]


def stamp(cloud: Cloud, service: str = "") -> str:
    """Return the file that changes whenever the virtual environment of a service does; units read it."""
    return f"{home(cloud, service)}/{STAMP}"


def locks(release: str, service: str = "") -> tuple[Path, Path]:
    """Return the lock of a service's release, and the one of what builds distributions that have no wheel."""
    return LOCKS / f"{_named(release, service)}.txt", LOCKS / f"{release}-build.txt"


def _named(release: str, service: str) -> str:
    return f"{release}-{service}" if service in APART else release


@functools.cache
def program() -> Path:
    """Return the program uv that pystack itself was installed with."""
    return Path(find_uv_bin())


@functools.cache
def digest(path: Path) -> str:
    """Return the sha256 of a file as 64 hex digits."""
    with path.open("rb") as stream:
        return hashlib.file_digest(stream, "sha256").hexdigest()


def index(answers: Answers) -> Secret | None:
    """Return the address of the package index that the answer file names."""
    return Secret(str(answers["CONFIG_PACKAGE_INDEX"])) if answers["CONFIG_PACKAGE_INDEX"] else None


ROLE = OpenStack()
