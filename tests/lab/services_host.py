"""A lab host whose agent makes OpenStack's virtual environment, and passwords that nothing must trip over."""

from __future__ import annotations

import hashlib
import json
import shlex
from pathlib import Path
from typing import Any

from uv import find_uv_bin

from installer.engine.session import AgentSession
from installer.lab import LabHost
from installer.paths import ROLES
from installer.platforms import Facts, facts, find
from installer.resources.package import Package
from installer.resources.virtual_environment import VirtualEnvironment
from installer.transport.connect import connect
from installer.transport.login import Login
from tests.lab.test_resources_system import Driven

NASTY = (
    "it's",
    'dou"ble',
    "back\\slash\\n\\",
    "per%cent%s%(x)s",
    "$(cd; touch owned)`cd; touch owned`${HOME}$HOME",
    "two\nlines\r\n",
    "snow☃ ümläut 語",
    "\u2603" * 200,
    " lead, trail and #!;-- ",
    "@:?&=+[]{}|<>~,",
    "\ttab",
    "'",
    '"',
)
HOME = "/opt/pystack/2026.2"
LOCKS = [ROLES / "openstack" / "locks" / name for name in ("2026.2.txt", "2026.2-build.txt")]


def digest(path: Path) -> str:
    """Return the name that an agent knows a file by."""
    return hashlib.sha256(path.read_bytes()).hexdigest()


LOCK, BUILD, UV = map(digest, (*LOCKS, Path(find_uv_bin())))


class Services(Driven):
    """A lab host whose agent gets the blobs of the virtual environment."""

    def __init__(self, host: LabHost) -> None:
        super().__init__(host)
        self.blobs = {digest(path): path for path in (*LOCKS, Path(find_uv_bin()))}

    def session(self) -> AgentSession:
        if self._session is None:
            login = Login("root", private_key=(self.host.private_key,), known_hosts=(self.host.known_hosts,))
            self._session = AgentSession(connect(self.host.address, login), self.events.append, self.blobs)
        return self._session

    def facts(self, role: str) -> Facts:
        """Return what the host's platform says for a role."""
        return facts(find(self.host.platform), role)

    @property
    def version(self) -> str:
        """The version of the interpreter of OpenStack there."""
        return str(self.facts("openstack")["python"]).rpartition("python")[2]

    @property
    def modules(self) -> str:
        """The folder of the modules in the environment there."""
        return f"{HOME}/lib/python{self.version}/site-packages"

    def sources(self) -> list[Package]:
        """Return what must be installed before other packages are there to install."""
        return [Package(name) for name in (*self.facts("base")["sources"], *self.facts("base")["python"])]

    def environment(self, **other: Any) -> VirtualEnvironment:
        """Return OpenStack's virtual environment, with other settings where they are given."""
        interpreter = {"python": self.facts("openstack")["python"], "version": self.version}
        return VirtualEnvironment(HOME, **{"lock": LOCK, "build_constraints": BUILD, "uv": UV, **interpreter, **other})

    def python(self, program: str, given: Any) -> Any:
        """Run a program with the environment's interpreter; it reads ``given`` from its standard input as JSON."""
        command = f"{HOME}/bin/python -W ignore -c {shlex.quote(program)}"
        done = self.host.run(f"printf %s {shlex.quote(json.dumps(given))} | {command}", check=True)
        return json.loads(done.stdout.splitlines()[-1])
