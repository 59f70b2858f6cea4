"""A virtual environment of Python, installed from a lock with hashes by uv."""

from __future__ import annotations

import dataclasses
import json
import os
import re
from typing import Any, ClassVar, Dict, Optional, Sequence, Tuple

from installer.agent.host import CommandFailed, Completed, Host
from installer.resources import wheels
from installer.resources.base import Actual, Resource, State
from installer.resources.blob import content
from installer.resources.file import write_atomically
from installer.resources.label import wanted_label
from installer.resources.secret import Secret
from installer.resources.uv import distributions, mark_of, uv_on

STAMP = "pystack-stamp.json"

_ASK_VERSION = "import sys; print('%d.%d' % sys.version_info[:2])"


@dataclasses.dataclass(frozen=True)
class VirtualEnvironment(Resource):
    """A virtual environment that holds exactly what a lock says, byte-compiled.

    A stamp inside, written last, says what it was made from. An environment without one is made anew.

    Args:
        path: absolute path of the environment.
        python: absolute path of the interpreter it is made with.
        version: that interpreter's version, major and minor, such as ``3.13``.
        lock: blob (sha256) of the lock, a requirements file with hashes.
        build_constraints: blob (sha256) of the lock of what builds distributions that have no wheel.
        uv: blob (sha256) of the program uv for this host's architecture.
        index: address of a package index; None leaves it to the configuration of the host's own uv or pip.
        proxies: ``http_proxy``, ``https_proxy``, ``no_proxy`` with their values; none leaves them to the host.
    """

    kind: ClassVar[str] = "virtual-environment"

    path: str
    python: str
    version: str
    lock: str
    build_constraints: str
    uv: str
    index: Optional[Secret] = None
    proxies: Tuple[Tuple[str, Secret], ...] = ()

    @property
    def name(self) -> str:
        return self.path

    def expected(self) -> State:
        return {"lock": mark_of(self.lock, self.build_constraints), "python": self.version}

    @classmethod
    def query(cls, resources: Sequence[VirtualEnvironment], host: Host) -> Dict[str, Actual]:
        return {resource.id: _state(resource.path, host) for resource in resources}

    def fix(self, actual: Actual, host: Host) -> None:
        usable = isinstance(actual, dict) and actual["python"] == self.version
        sent = wheels.sent(self.lock, self.build_constraints, self.version, host)
        stamp = os.path.join(self.path, STAMP)
        old = _take_away(stamp)
        try:
            self._install(usable, sent, host)
        except CommandFailed as failed:
            if usable and changed_nothing(failed.completed):
                write_atomically(stamp, old, "root", "root", 0o644)
            raise
        host.progress("byte-compiling them")
        # Services must not write here, and without this each of their starts compiles every module again. What cannot
        # be compiled (code 1), such as a template that ends in .py, does not matter.
        host.run(
            [f"{self.path}/bin/python", "-m", "compileall", "-q", "-j0", "-x", "/tests?/", f"{self.path}/lib"],
            expect=(0, 1),
            timeout=1800,
        )
        if wanted_label(self.path):
            host.run(["restorecon", "-R", self.path], timeout=1800)
        text = json.dumps({**(self.expected() or {}), "interpreter": self.python})
        write_atomically(stamp, text.encode(), "root", "root", 0o644)

    def _install(self, usable: bool, sent: Optional[str], host: Host) -> None:
        lock = content(self.lock, host, "the lock")
        # A link has the label of what it links to, and the cache lies where others are labelled.
        link_mode = "copy" if wanted_label(self.path) else "hardlink"
        with uv_on(host, self.uv, self.index, self.proxies, link_mode, sent) as uv:
            if not usable:
                host.progress(f"making {self.path} with {self.python}")
                uv.run(["venv", "--clear", "--no-project", "--python", self.python, self.path])
            host.progress(f"installing {distributions(lock)} Python distributions")
            constraints = uv.write("build.txt", content(self.build_constraints, host, "the lock"))
            sync = ["pip", "sync", "--python", f"{self.path}/bin/python", "--require-hashes", *uv.sources]
            uv.run([*sync, "--build-constraints", constraints, uv.write("lock.txt", lock)])


def _take_away(path: str) -> bytes:
    """Remove a file and return what it held: nothing if it was not there."""
    try:
        with open(path, "rb") as stream:
            held = stream.read()
        os.unlink(path)
        return held
    except FileNotFoundError:
        return b""


def _state(path: str, host: Host) -> Actual:
    try:
        with open(os.path.join(path, STAMP), encoding="utf-8") as stream:
            stamp = json.load(stream)
    except (OSError, ValueError):
        return None
    asked = host.run([f"{path}/bin/python", "-I", "-S", "-c", _ASK_VERSION], expect=None, timeout=30)
    return state_of(stamp, asked)


def state_of(stamp: Any, asked: Completed) -> Actual:
    """Return the state of an environment.

    Args:
        stamp: what its stamp holds.
        asked: how its interpreter answered when it was asked for its version: after an upgrade of the distribution it
            may be gone, or another version that does not look into this environment.
    """
    if not isinstance(stamp, dict) or not isinstance(stamp.get("lock"), str):
        return None
    made_for, now = stamp.get("python"), asked.out.strip()
    if asked.code:
        python = f"{made_for}, which does not run any more"
    else:
        python = now if now == made_for else f"{now}, made for {made_for}"
    return {"lock": stamp["lock"], "python": python}


def changed_nothing(done: Completed) -> bool:
    """Tell whether uv failed before it touched the environment: it gave up by itself, and not for want of room.

    uv downloads and checks everything first. Once it is killed while it installs, what it leaves half-installed looks
    whole to it the next time.
    """
    return done.code > 0 and not re.search("No space left", done.err)
