"""libvirt's Python module, built on a real host by a real compiler, through a real agent."""

from __future__ import annotations

import os
from collections.abc import Iterator

import pytest

from installer import lab
from installer.engine.session import AgentSession
from installer.resources import load_all
from installer.resources.base import Resource
from installer.resources.distribution_module import DistributionModule
from installer.resources.file import Directory
from installer.resources.package import Package
from installer.transport.connect import connect
from installer.transport.login import Login
from roles.libvirt.role import DISTRIBUTION, MODULE
from roles.openstack import modules
from tests.lab.test_resources_system import Driven
from tests.unit.roles.test_roles import cloud_of

pytestmark = [pytest.mark.lab, pytest.mark.long, pytest.mark.shows("resources"), pytest.mark.timeout(300)]

HOST = "t-module"
#: On Debian they have other names than on the hosts that this is for.
PACKAGES = ("gcc", "libvirt-dev", "pkgconf", "python3-dev")
PYTHON = "python3.13"
HOME = "/opt/pystack/venv"
CLOUD = cloud_of()
BUILT = modules.built(CLOUD, CLOUD.hosts[0], MODULE, DISTRIBUTION, PACKAGES)
LINKED = DistributionModule(
    MODULE, BUILT.path, ("libvirt*.py", "libvirtmod*.so"), HOME, f"{HOME}/lib/{PYTHON}/site-packages"
)
WHOLE: tuple[Resource, ...] = (Directory("/opt/pystack"), BUILT, LINKED)


class Builder(Driven):
    """A lab host whose agent gets what the module is built from."""

    def session(self) -> AgentSession:
        if self._session is None:
            login = Login("root", private_key=(self.host.private_key,), known_hosts=(self.host.known_hosts,))
            transport = connect(self.host.address, login)
            self._session = AgentSession(transport, self.events.append, modules.blobs(DISTRIBUTION))
        return self._session

    def asked(self) -> str:
        """Ask libvirt's library for a connection that needs no daemon, from the virtual environment."""
        return self.sh(f"{HOME}/bin/python -c 'import libvirt; print(libvirt.open(\"test:///default\").getType())'")


@pytest.fixture(scope="module")
def builder() -> Iterator[Builder]:
    """A host with a virtual environment, and all packages that building takes but the first."""
    if os.geteuid() != 0:
        pytest.skip("making lab hosts needs root")
    load_all()
    if HOST in [host.name for host in lab.hosts()]:
        lab.down([HOST])
    (host,) = lab.up([HOST])
    made = Builder(host)
    made.converge(*(Package(name) for name in PACKAGES[1:]))
    made.sh(f"{PYTHON} -m venv --without-pip {HOME}")
    yield made
    made.session().close()
    lab.down([HOST])


def test_without_a_compiler_it_is_said_what_lacks_and_nothing_is_left(builder: Builder) -> None:
    failure = builder.failure(*WHOLE)
    assert failure["resource"] == BUILT.id
    assert "libvirt cannot be built: there is no C compiler (x86_64-linux-gnu-gcc)" in str(failure)
    assert "gcc, libvirt-dev, pkgconf, python3-dev" in str(failure)
    assert builder.sh(f"ls {modules.FOLDER}") == ""


def test_it_is_built_and_libvirt_answers_through_it(builder: Builder) -> None:
    assert builder.converge(*(Package(name) for name in PACKAGES)) == ["package:gcc"]
    assert builder.converge(*WHOLE) == [BUILT.id, LINKED.id]
    assert builder.asked() == "TEST"


def test_a_second_run_changes_nothing_and_using_it_does_not_either(builder: Builder) -> None:
    builder.sh(f"PYTHONPATH={BUILT.path} {PYTHON} -c 'import libvirt'")
    before = builder.sh(f"stat --format=%i:%Y {BUILT.path}/*.so")
    assert builder.converge(*WHOLE) == []
    assert builder.sh(f"stat --format=%i:%Y {BUILT.path}/*.so") == before


@pytest.mark.parametrize(
    "damage",
    [
        "truncate --size=1000 {}/libvirtmod.cpython-313-x86_64-linux-gnu.so",
        "rm {}/libvirt.py",
        "chmod 600 {}/libvirt.py",
        "rm {}/pystack-stamp.json",
        "rm -r {}",
    ],
)
def test_a_broken_folder_is_made_anew(builder: Builder, damage: str) -> None:
    builder.sh(damage.format(BUILT.path))
    assert BUILT.id in builder.converge(*WHOLE)
    assert builder.asked() == "TEST"


def test_what_a_killed_build_left_is_taken_away(builder: Builder) -> None:
    builder.sh(f"mv {BUILT.path} {BUILT.path}.pystack-new; touch {BUILT.path}.pystack-new/libvirt_half.py")
    assert BUILT.id in builder.converge(*WHOLE)
    assert builder.sh(f"ls {modules.FOLDER}") == os.path.basename(BUILT.path)
    assert "libvirt_half.py" not in builder.sh(f"ls {BUILT.path}")
