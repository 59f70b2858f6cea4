"""A folder of files out of one package, without the packages that it would bring along."""

from __future__ import annotations

import dataclasses
import os
import tempfile
from typing import ClassVar, Dict, Sequence, Tuple

from installer.agent.host import Host
from installer.resources.base import Actual, CannotFix, Resource, State
from installer.resources.file import file_state
from installer.resources.secret import Secret
from installer.resources.unpacking import download, unpack


@dataclasses.dataclass(frozen=True)
class PackageFiles(Resource):
    """A folder that a package has, unpacked elsewhere: for files that need nothing of what the package depends on.

    Args:
        package: its name.
        folder: absolute path inside the package.
        path: where the folder is put; it is there whole or not at all.
        proxies: see ``installer.resources.package.Package``.
    """

    kind: ClassVar[str] = "package-files"

    package: str
    folder: str
    path: str
    proxies: Tuple[Tuple[str, Secret], ...] = ()

    @property
    def name(self) -> str:
        return self.path

    def expected(self) -> State:
        return {"files": f"of {self.package}"}

    @classmethod
    def query(cls, resources: Sequence[PackageFiles], host: Host) -> Dict[str, Actual]:
        return {
            resource.id: resource.expected() if os.path.isdir(resource.path) else file_state(resource.path)
            for resource in resources
        }

    def fix(self, actual: Actual, host: Host) -> None:
        if actual is not None:
            raise CannotFix(f"{self.path} exists and is not a directory; move it away if it is not needed")
        parent = os.path.dirname(self.path)
        os.makedirs(parent, exist_ok=True)
        with tempfile.TemporaryDirectory(prefix=".pystack-", dir=parent) as folder:
            packages, unpacked = os.path.join(folder, "packages"), os.path.join(folder, "unpacked")
            os.mkdir(packages)
            download([self.package], packages, host, self.proxies)
            unpack(packages, unpacked, host)
            found = unpacked + self.folder
            if not os.path.isdir(found):
                raise CannotFix(f"the package {self.package} has no {self.folder}")
            os.rename(found, self.path)
