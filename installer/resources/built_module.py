"""A Python module that is built on the host, because neither package index nor distribution has it for this Python."""

from __future__ import annotations

import contextlib
import dataclasses
import hashlib
import json
import os
import shutil
import stat
from typing import ClassVar, Dict, Iterator, Optional, Sequence, Tuple

from installer.agent.host import CommandFailed, Host
from installer.resources import wheels
from installer.resources.base import Actual, Resource, State
from installer.resources.blob import content
from installer.resources.file import sha256_of, write_atomically
from installer.resources.label import wanted_label
from installer.resources.secret import Secret
from installer.resources.uv import Meanings, mark_of, uv_on

STAMP = "pystack-stamp.json"

_IMPORT = "import sys; sys.path.insert(0, sys.argv[1]); __import__(sys.argv[2])"


@dataclasses.dataclass(frozen=True)
class BuiltModule(Resource):
    """A folder that holds what a lock says, built from its source for one Python.

    It is built beside the old one, which it then replaces. A stamp inside, written last, says what it was made from and
    what it held then: a folder without one, or with other files, is made anew.

    Args:
        module: the name it is imported by.
        path: absolute path of the folder.
        python: absolute path of the interpreter it is for.
        version: that interpreter's version, major and minor, such as ``3.12``.
        lock: blob (sha256) of the lock, a requirements file with hashes.
        build_constraints: blob (sha256) of the lock of what builds it.
        packages: the distribution's packages with compiler, headers and libraries, to be told of if one lacks.
        uv: blob (sha256) of the program uv for this host's architecture.
        index, proxies: see ``VirtualEnvironment``.
    """

    kind: ClassVar[str] = "built-module"

    module: str
    path: str
    python: str
    version: str
    lock: str
    build_constraints: str
    packages: Tuple[str, ...]
    uv: str
    index: Optional[Secret] = None
    proxies: Tuple[Tuple[str, Secret], ...] = ()

    @property
    def name(self) -> str:
        return self.path

    def expected(self) -> State:
        mark = mark_of(self.lock, self.build_constraints)
        return {"lock": mark, "python": self.version, "files": "as they were built"}

    @classmethod
    def query(cls, resources: Sequence[BuiltModule], host: Host) -> Dict[str, Actual]:
        return {resource.id: state_of(resource.path) for resource in resources}

    def fix(self, actual: Actual, host: Host) -> None:
        fresh = f"{self.path}.pystack-new"
        shutil.rmtree(fresh, ignore_errors=True)
        os.makedirs(os.path.dirname(self.path), mode=0o755, exist_ok=True)
        self._build(fresh, host)
        host.run([self.python, "-I", "-B", "-c", _IMPORT, fresh, self.module])
        if os.path.lexists(self.path):
            shutil.rmtree(self.path)
        os.rename(fresh, self.path)
        if wanted_label(self.path):
            host.run(["restorecon", "-R", self.path])
        text = json.dumps({**(self.expected() or {}), "files": digest_of(self.path)})
        write_atomically(os.path.join(self.path, STAMP), text.encode(), "root", "root", 0o644)

    def _build(self, folder: str, host: Host) -> None:
        host.progress(f"building the Python module {self.module} for Python {self.version}")
        sent = wheels.sent(self.lock, self.build_constraints, self.version, host)
        # Links would share their content with the cache: what breaks here would be broken there, and come back.
        with uv_on(host, self.uv, self.index, self.proxies, "copy", sent) as uv:
            lock = uv.write("lock.txt", content(self.lock, host, "the lock"))
            constraints = uv.write("build.txt", content(self.build_constraints, host, "the lock"))
            install = ["pip", "install", "--python", self.python, "--target", folder, "--no-deps", "--require-hashes"]
            install += uv.sources
            try:
                uv.run([*install, "--build-constraints", constraints, "--requirements", lock], self._meanings())
            except CommandFailed:
                shutil.rmtree(folder, ignore_errors=True)
                raise
        # A lock of uv's own, which everybody may write to.
        with contextlib.suppress(FileNotFoundError):
            os.unlink(os.path.join(folder, ".lock"))

    def _meanings(self) -> Meanings:
        """Return what uv, setuptools, pkg-config and gcc say, most of all when something lacks."""
        bring = f"; the packages {', '.join(self.packages)} bring what it takes"
        meanings = (*((pattern, f"{what}{bring}") for pattern, what in _LACKING), _TOO_NEW)
        return tuple((pattern, f"{self.module} cannot be built: {what}") for pattern, what in meanings)


_LACKING = (
    (r"error: \[Errno 2\] No such file or directory: '(\S*(?:cc|clang))'", "there is no C compiler ({0})"),
    (r"pkg-config binary is required", "there is no pkg-config"),
    (r"Package '?([^\s']+?)'? was not found in the pkg-config search path", "the headers of {0} are missing ({0}.pc)"),
    (r"fatal error: (\S+): No such file or directory", "the header {0} is missing"),
    (r"cannot find -l(\w+)", "there is no library {0} to link it with"),
)
_TOO_NEW = (r"Missing type converters", "the host's library is newer than what this version of the module knows")


def state_of(path: str) -> Actual:
    """Return the state of a folder by its stamp; None if it has none."""
    try:
        with open(os.path.join(path, STAMP), encoding="utf-8") as stream:
            stamp = json.load(stream)
        held = {"lock": str(stamp["lock"]), "python": str(stamp["python"])}
        as_built = stamp["files"] == digest_of(path)
    except (OSError, ValueError, LookupError, TypeError):
        return None
    return {**held, "files": "as they were built" if as_built else "changed since they were built"}


def digest_of(path: str) -> str:
    """Return one number (sha256, 64 hex digits) for all files of a folder, but for the stamp and byte code."""
    entries = [[name, stat.filemode(os.lstat(file).st_mode), sha256_of(file)] for name, file in sorted(_files(path))]
    return hashlib.sha256(json.dumps(entries).encode()).hexdigest()


def _files(path: str) -> Iterator[Tuple[str, str]]:
    for folder, folders, names in os.walk(path):
        folders[:] = [name for name in folders if name != "__pycache__"]
        for name in names:
            file = os.path.join(folder, name)
            relative = os.path.relpath(file, path)
            if relative != STAMP:
                yield relative, file
