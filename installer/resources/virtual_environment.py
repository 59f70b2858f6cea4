"""A virtual environment of Python, installed from a lock with hashes by uv."""

from __future__ import annotations

import dataclasses
import hashlib
import json
import os
import re
import tempfile
from typing import Any, ClassVar, Dict, List, Optional, Sequence, Tuple

from installer.agent.host import CommandFailed, Completed, Host
from installer.resources import leftovers, wheels
from installer.resources.base import Actual, Resource, State
from installer.resources.file import sha256_of, write_atomically
from installer.resources.label import wanted_label
from installer.resources.python_index import HOST_CONFIGURATION, configuration, host_proxies, read_pip
from installer.resources.secret import Secret

#: Where uv keeps what it downloaded, so that a second environment or a repetition is a matter of hard links.
CACHE = "/var/cache/pystack/uv"
#: Below this the program is kept, one folder per version.
PROGRAMS = "/opt/pystack/uv"
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
        return {"lock": self._digest(), "python": self.version}

    def _digest(self) -> str:
        return hashlib.sha256(f"{self.lock} {self.build_constraints}".encode()).hexdigest()[:16]

    @classmethod
    def query(cls, resources: Sequence[VirtualEnvironment], host: Host) -> Dict[str, Actual]:
        return {resource.id: _state(resource.path, host) for resource in resources}

    def fix(self, actual: Actual, host: Host) -> None:
        usable = isinstance(actual, dict) and actual["python"] == self.version
        uv = self._program(host)
        sent = self._sent(host)
        stamp = os.path.join(self.path, STAMP)
        old = _take_away(stamp)
        try:
            self._install(uv, usable, sent, host)
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

    def _sent(self, host: Host) -> Optional[str]:
        """Bring the wheels that the controller has, and return their folder; None: the package index has them."""
        name = wheels.list_name(self.lock, self.build_constraints, self.version, os.uname().machine)
        offered = wheels.offered(name, host)
        return None if offered is None else wheels.bring(offered, host)

    def _install(self, uv: str, usable: bool, sent: Optional[str], host: Host) -> None:
        os.makedirs(CACHE, mode=0o755, exist_ok=True)
        lock = host.blob(self.lock)
        leftovers.sweep(tempfile.gettempdir(), "pystack-uv-")
        with tempfile.TemporaryDirectory(prefix=leftovers.own("pystack-uv-")) as folder:
            source = self._configuration(folder) if sent is None else ["--no-config", "--offline"]
            common = [uv, "--no-progress", "--color=never", *source]
            if not usable:
                host.progress(f"making {self.path} with {self.python}")
                self._uv([*common, "venv", "--clear", "--no-project", "--python", self.python, self.path], host)
            host.progress(f"installing {distributions(lock)} Python distributions")
            constraints = _write(folder, "build.txt", host.blob(self.build_constraints))
            sync = ["pip", "sync", "--python", f"{self.path}/bin/python", "--require-hashes"]
            sync += [] if sent is None else ["--no-index", "--find-links", sent]
            sync += ["--build-constraints", constraints, _write(folder, "lock.txt", lock)]
            self._uv([*common, *sync], host)

    def _program(self, host: Host) -> str:
        path = f"{PROGRAMS}/{self.uv[:12]}/uv"
        if not os.path.exists(path) or sha256_of(path) != self.uv:
            host.progress("bringing uv to the host")
            os.makedirs(os.path.dirname(path), mode=0o755, exist_ok=True)
            write_atomically(path, host.blob(self.uv), "root", "root", 0o755)
        return path

    def _configuration(self, folder: str) -> List[str]:
        """Return uv's arguments for its index and proxies: none where the host's own uv is configured already."""
        if self.index is None and not self.proxies and any(map(os.path.exists, HOST_CONFIGURATION)):
            return []
        text = configuration(self.index, dict(self.proxies), read_pip())
        return [f"--config-file={_write(folder, 'uv.toml', text.encode())}"]

    def _uv(self, argv: Sequence[str], host: Host) -> None:
        environment = {
            **({} if self.proxies else host_proxies()),
            "UV_CACHE_DIR": CACHE,
            "UV_PYTHON_DOWNLOADS": "never",
            # A link has the label of what it links to, and the cache lies where others are labelled.
            "UV_LINK_MODE": "copy" if wanted_label(self.path) else "hardlink",
            "UV_HTTP_TIMEOUT": "60",
            # The host's own trust, which may know a CA of the site. Its name changed with uv 0.12.
            "UV_SYSTEM_CERTS": "true",
            "UV_NATIVE_TLS": "true",
        }
        done = host.run(argv, env=environment, expect=None, timeout=1800)
        if done.code:
            raise CommandFailed(done, explain_failure(done))


def _write(folder: str, name: str, data: bytes) -> str:
    path = os.path.join(folder, name)
    write_atomically(path, data, "root", "root", 0o600)
    return path


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


def distributions(lock: bytes) -> int:
    """Return how many distributions a lock names."""
    return len(re.findall(rb"^[A-Za-z0-9][^\s=]*==", lock, re.MULTILINE))


#: What uv says, and what it means in one line. The first that is found counts.
_MEANINGS = (
    (r"No space left on device", "the disk is full: make room; df -h on the host tells where"),
    (
        r"[Hh]ash mismatch (?:for|in) `?([^`\n]+?)`?[\s:]*$",
        "what the package index serves as {0} is not what the lock names",
    ),
    (
        r"(?:dns error|tcp connect error|error sending request|Failed to connect|Connection refused)",
        "the package index cannot be reached{url}",
    ),
    (
        r"(?:invalid peer certificate|UnknownIssuer)",
        "the host does not trust the certificate of the package index{url}",
    ),
    (r"HTTP status (?:client|server) error \((\d+[^)]*)\)", "the package index answers {0}{url}"),
    (
        r"Because ([^\s`]+) was not found in the provided package locations",
        "the wheels that were sent do not have {0}; what is needed differs from what the bundle or the index had",
    ),
    (r"Because ([^\s`]+) was not found", "the package index does not have {0}"),
    (r"there (?:is|are) no versions? of ([^\s`]+)", "the package index does not have {0}"),
    (r"No interpreter found|not a valid Python interpreter", "the interpreter cannot be used"),
    (r"is not a virtual environment", "something else is in the way; move it away if it is not needed"),
)


def explain_failure(done: Completed) -> str:
    """Return in one line why uv failed."""
    text = done.err + done.out
    address = re.search(r"https?://[^\s`)'\"]+", text)
    url = f" ({address.group(0)})" if address else ""
    for pattern, meaning in _MEANINGS:
        found = re.search(pattern, text, re.MULTILINE)
        if found:
            return meaning.format(*found.groups(), url=url)
    lines = [line.strip() for line in done.err.splitlines() if line.strip()]
    return f"uv failed: {lines[0] if lines else f'code {done.code}'}"
