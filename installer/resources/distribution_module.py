"""A Python module from outside of a virtual environment, made known to it."""

from __future__ import annotations

import dataclasses
import glob
import os
import re
from typing import ClassVar, Dict, List, Sequence, Tuple

from installer.agent.host import Host
from installer.resources.base import Actual, CannotFix, Resource, State

_TAG = re.compile(r"\.cpython-(\d)(\d+)-")


@dataclasses.dataclass(frozen=True)
class DistributionModule(Resource):
    """Links in a virtual environment to the files of one module that the package index has no binaries of.

    They are the distribution's, or were built on the host (``BuiltModule``). They fit only if both are for the same
    version of CPython.

    Args:
        module: its name.
        folder: where its files are, such as the distribution's ``site-packages`` or ``dist-packages``.
        files: shell patterns of its files there.
        environment: the virtual environment.
        site: that environment's ``site-packages``.
    """

    kind: ClassVar[str] = "distribution-module"

    module: str
    folder: str
    files: Tuple[str, ...]
    environment: str
    site: str

    @property
    def name(self) -> str:
        return f"{self.module} in {self.environment}"

    def expected(self) -> State:
        return {"links": "to all its files"}

    @classmethod
    def query(cls, resources: Sequence[DistributionModule], host: Host) -> Dict[str, Actual]:
        return {resource.id: resource.state() for resource in resources}

    def state(self) -> Actual:
        """Return the actual state; None before the distribution's package or the environment is there."""
        sources = self._sources()
        lacking = [path for path in sources if not self._linked(path)]
        if not sources or len(lacking) == len(sources):
            return None
        return {"links": f"without {', '.join(map(os.path.basename, lacking))}"} if lacking else self.expected()

    def fix(self, actual: Actual, host: Host) -> None:
        sources = self._sources()
        if not sources:
            raise CannotFix(f"no package has brought the Python module {self.module} to {self.folder}")
        wanted = re.search(r"python(\d)\.(\d+)/", self.site)
        for path in sources:
            made_for = _TAG.search(path)
            if wanted and made_for and made_for.groups() != wanted.groups():
                raise CannotFix(
                    f"{path} is for Python {'.'.join(made_for.groups())}, and OpenStack runs with "
                    f"Python {'.'.join(wanted.groups())} on this host: what needs {self.module} cannot run on it"
                )
        for path in sources:
            link = os.path.join(self.site, os.path.basename(path))
            os.symlink(path, f"{link}.pystack-new")
            os.replace(f"{link}.pystack-new", link)
        host.run([f"{self.environment}/bin/python", "-c", f"import {self.module}"])

    def _sources(self) -> List[str]:
        return sorted(path for pattern in self.files for path in glob.glob(os.path.join(self.folder, pattern)))

    def _linked(self, path: str) -> bool:
        link = os.path.join(self.site, os.path.basename(path))
        return os.path.islink(link) and os.readlink(link) == path
