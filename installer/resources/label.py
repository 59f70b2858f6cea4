"""SELinux labels of files: each has the type that the host's policy says for its path, as restorecon(8) gives it.

Where SELinux does not run there are none, and nothing is done. libselinux is asked directly: it is on every such host
(systemd needs it), and a program for each file would take longer than all else.
"""

from __future__ import annotations

import ctypes
import dataclasses
import errno
import os
import threading
from typing import ClassVar, Dict, Optional, Sequence

from installer.agent import selinux
from installer.agent.host import Host
from installer.resources.base import Actual, Resource, State

ATTRIBUTE = "security.selinux"


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
        wanted, found = wanted_label(self.path), type_of(self.path)
        return self.expected() if wanted is None or found in (None, _type(wanted)) else {"type": found}

    def fix(self, actual: Actual, host: Host) -> None:
        set_label(self.path)


def wanted_label(path: str) -> Optional[str]:
    """Return the label that the policy says for a path; None where there is no policy, or it says nothing."""
    return POLICY.label_of(path) if selinux.mode() != "absent" else None


def set_label(path: str, final: str = "") -> None:
    """Give a file the label that the policy says, unless it has the same type already, or its file system no labels.

    Args:
        path: where it is.
        final: where it will be, if that is elsewhere.
    """
    wanted = wanted_label(final or path)
    if wanted is None or type_of(path) in (None, _type(wanted)):
        return
    try:
        os.setxattr(path, ATTRIBUTE, f"{wanted}\0".encode(), follow_symlinks=False)
    except OSError as problem:
        # The kernel may tell a label that the file system itself does not keep.
        if problem.errno != errno.ENOTSUP:
            raise


def type_of(path: str) -> Optional[str]:
    """Return the type that a file has; ``none`` if it has no label, None where its file system knows none, such as
    that of an NFS server without them.
    """
    try:
        return _type(os.getxattr(path, ATTRIBUTE, follow_symlinks=False).decode(errors="replace"))
    except OSError as problem:
        return None if problem.errno == errno.ENOTSUP else "none"


def _type(context: str) -> str:
    return selinux.part(context, selinux.TYPE)


class _Policy:
    """What the policy says of paths, by libselinux (selabel_open(3)). What it has read, it keeps."""

    def __init__(self) -> None:
        self._access = threading.Lock()
        self._library: Optional[ctypes.CDLL] = None
        self._handle: Optional[ctypes.c_void_p] = None

    def label_of(self, path: str) -> Optional[str]:
        """Return the label of a path whose folder may be behind links; None if the policy says nothing."""
        folder, name = os.path.split(path)
        real = os.path.join(os.path.realpath(folder), name)
        context = ctypes.c_void_p()
        with self._access:
            library = self._opened()
            if library is None or self._handle is None:
                return None
            # Of whatever kind: that it has in the end is not there yet.
            code = library.selabel_lookup_raw(self._handle, ctypes.byref(context), os.fsencode(real), 0)
            if code != 0 or not context.value:
                return None
            text = ctypes.string_at(context.value).decode()
            library.freecon(context)
        return None if text == "<<none>>" else text

    def forget(self) -> None:
        """Have the policy's files read again: somebody has changed what it says of paths."""
        with self._access:
            if self._library is not None and self._handle is not None:
                self._library.selabel_close(self._handle)
            self._handle = None

    def _opened(self) -> Optional[ctypes.CDLL]:
        if self._library is None:
            try:
                self._library = ctypes.CDLL("libselinux.so.1")
            except OSError:
                return None
            self._library.selabel_open.restype = ctypes.c_void_p
        if self._handle is None:
            opened = self._library.selabel_open(0, None, 0)
            self._handle = ctypes.c_void_p(opened) if opened else None
        return self._library


POLICY = _Policy()
