"""SELinux labels of files: each has the type that the host's policy says for its path, as restorecon(8) gives it.

Where SELinux does not run there are none, and nothing is done. libselinux is asked directly: it is on every such host
(systemd needs it), and a program for each file would take longer than all else.
"""

from __future__ import annotations

import ctypes
import dataclasses
import functools
import os
import threading
from typing import ClassVar, Dict, Optional, Sequence

from installer.agent.host import Host
from installer.resources.base import Actual, Resource, State

ATTRIBUTE = "security.selinux"

_ACCESS = threading.RLock()


@dataclasses.dataclass(frozen=True)
class Label(Resource):
    """A file or folder that has the SELinux type that the policy says for its path.

    Args:
        path: absolute path of what something else has made.
    """

    kind: ClassVar[str] = "label"

    path: str

    @property
    def name(self) -> str:
        return self.path

    def expected(self) -> State:
        return {"type": "as the policy says"}

    @classmethod
    def query(cls, resources: Sequence[Label], host: Host) -> Dict[str, Actual]:
        return {resource.id: resource._state() for resource in resources}

    def _state(self) -> Actual:
        if not os.path.lexists(self.path):
            return None
        wanted, found = wanted_type(self.path), type_of(self.path)
        return self.expected() if wanted in (None, found) else {"type": found}

    def fix(self, actual: Actual, host: Host) -> None:
        set_label(self.path)


def wanted_type(path: str) -> Optional[str]:
    """Return the type that the policy says for a path, None where there is no policy or it says nothing."""
    context = _wanted(path)
    return _type(context) if context else None


def type_of(path: str) -> Optional[str]:
    """Return the type that a file has, None where it has no label."""
    try:
        found = os.getxattr(path, ATTRIBUTE, follow_symlinks=False)
    except OSError:
        return None
    return _type(found.decode(errors="replace"))


def set_label(path: str, final: str = "") -> None:
    """Give a file the label that the policy says.

    Args:
        path: where it is.
        final: where it will be, if that is elsewhere.
    """
    wanted = _wanted(final or path)
    if wanted and _type(wanted) != type_of(path):
        os.setxattr(path, ATTRIBUTE, f"{wanted}\0".encode(), follow_symlinks=False)


def forget() -> None:
    """Have the policy's own files read again: somebody has changed what it says of paths."""
    library = _library()
    if library is not None:
        with _ACCESS:
            library.matchpathcon_fini()


def _type(context: str) -> str:
    # user:role:type:range, see selinux(8).
    return "".join(context.rstrip("\0").split(":")[2:3])


def _wanted(path: str) -> Optional[str]:
    library = _library()
    if library is None or library.is_selinux_enabled() != 1:
        return None
    try:
        mode = os.lstat(path).st_mode
    except OSError:
        mode = 0
    context = ctypes.c_char_p()
    with _ACCESS:
        code = library.matchpathcon(os.path.realpath(path).encode(), mode, ctypes.byref(context))
    if code != 0 or context.value is None:
        return None
    text = context.value.decode()
    library.freecon(context)
    return text


@functools.lru_cache(maxsize=None)
def _library() -> Optional[ctypes.CDLL]:
    """Return libselinux, None where the host has none."""
    try:
        return ctypes.CDLL("libselinux.so.1")
    except OSError:
        return None
