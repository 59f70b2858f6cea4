"""A module of the kernel that is loaded, now and at every boot."""

from __future__ import annotations

import dataclasses
import os
import re
from typing import ClassVar, Dict, Sequence

from installer.agent.host import Host
from installer.resources.base import Actual, CannotFix, Resource, State
from installer.resources.file import write_atomically
from installer.resources.texts import text_of

LOADED = "/sys/module"
#: See modules-load.d(5).
AT_BOOT = "/etc/modules-load.d"


@dataclasses.dataclass(frozen=True)
class KernelModule(Resource):
    """A module of the kernel.

    Args:
        module: its name, such as ``iscsi_tcp``.
    """

    kind: ClassVar[str] = "kernel-module"

    module: str

    @property
    def name(self) -> str:
        return self.module

    def expected(self) -> State:
        return {"loaded": "yes", "at boot": "yes"}

    @classmethod
    def query(cls, resources: Sequence[KernelModule], host: Host) -> Dict[str, Actual]:
        return {resource.id: resource._state() for resource in resources}

    def _state(self) -> Actual:
        listed = re.findall(rf"(?m)^\s*{re.escape(self.module)}\s*$", text_of(self._path()))
        return {
            "loaded": "yes" if self._is_loaded() else "no",
            "at boot": "yes" if listed else "no",
        }

    def _is_loaded(self) -> bool:
        if os.path.isdir(os.path.join(LOADED, self.module)):
            return True
        return f"/{self.module}.ko\n" in text_of(f"/lib/modules/{os.uname().release}/modules.builtin")

    def fix(self, actual: Actual, host: Host) -> None:
        os.makedirs(AT_BOOT, exist_ok=True)
        write_atomically(self._path(), f"# Made by pystack.\n{self.module}\n".encode(), "root", "root", 0o644)
        done = host.run(["modprobe", "--", self.module], expect=None)
        if done.code != 0:
            raise CannotFix(
                f"the kernel {os.uname().release} has no module {self.module} that can be loaded: "
                f"{done.err.strip() or f'code {done.code}'}; install what brings it (linux-modules-extra, "
                "kernel-modules-extra), or boot the kernel whose modules are installed"
            )

    def _path(self) -> str:
        return os.path.join(AT_BOOT, f"pystack-{self.module}.conf")
