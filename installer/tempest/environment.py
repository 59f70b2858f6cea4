"""The virtual environment that Tempest runs in, on the machine that runs pystack."""

from __future__ import annotations

import fcntl
import hashlib
import os
import platform
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from uv import find_uv_bin

from installer import own_index
from installer.agent.host import Completed
from installer.paths import ROLES
from installer.resources.python_index import configuration
from installer.resources.secret import Secret
from installer.resources.uv import distributions, explain_failure
from installer.resources.wheels import list_name
from installer.verify.failing import CheckFailed
from installer.wheels.environment import Environment
from installer.wheels.store import Store, StoreNotWritable
from installer.wheels.target import Target

LOCKS = ROLES / "openstack" / "locks"
#: Written last: an environment without it is made anew.
COMPLETE = "pystack-complete"
#: Seconds for one call of uv.
PATIENCE = 1800

Tell = Callable[[str], None]


class TempestNotInstalled(CheckFailed):
    """Tempest could not be installed on this machine."""

    def __init__(self, found: str, remedy: str) -> None:
        super().__init__(found, "Tempest was not run: nothing is known of what it would find", remedy)


def base() -> Path:
    """Return the folder of all environments: below XDG_CACHE_HOME if that is set, else below ~/.cache."""
    given = os.environ.get("XDG_CACHE_HOME", "")
    # The specification wants relative paths ignored (XDG Base Directory Specification, "Environment variables").
    return (Path(given) if given.startswith("/") else Path.home() / ".cache") / "pystack" / "tempest"


def locks(release: str) -> tuple[Path, Path]:
    """Return the lock of Tempest for a release, and the one of what builds distributions that have no wheel."""
    return LOCKS / f"{release}-tempest.txt", LOCKS / f"{release}-build.txt"


def home(release: str) -> Path:
    """Return where the environment of a release is: another lock or another Python has another place."""
    made_from = "".join(path.read_text() for path in locks(release)) + sys.version
    return base() / f"{release}-{hashlib.sha256(made_from.encode()).hexdigest()[:12]}"


def made_of(release: str) -> Environment:
    """Return what the environment of a release is made of."""
    lock, build = locks(release)
    target = Target(f"{sys.version_info.major}.{sys.version_info.minor}", platform.machine())
    digests = [hashlib.sha256(path.read_bytes()).hexdigest() for path in (lock, build)]
    name = list_name(digests[0], digests[1], target.python, target.machine)
    return Environment(name, lock, build, target)


def prepare(release: str, index: Secret | None, tell: Tell, asks_index: bool = True) -> Path:
    """Make the environment unless it is there, and return its folder of programs.

    Args:
        release: of OpenStack; it has a lock.
        index: address of a package index; None leaves it to the configuration of this machine's uv or pip.
        tell: is told what is being done.
        asks_index: whether a package index may be asked, or only what a bundle brought is taken.

    Raises:
        TempestNotInstalled: uv failed, no bundle has it where none else may be asked, or the folder cannot be written.
    """
    target = home(release)
    try:
        base().mkdir(mode=0o700, parents=True, exist_ok=True)
        with _alone():
            if not (target / COMPLETE).exists():
                _make(target, release, index, tell, asks_index)
                _remove_others(target, release)
    except StoreNotWritable as problem:
        raise TempestNotInstalled(problem.message, problem.remedy) from problem
    except OSError as problem:
        raise TempestNotInstalled(
            f"Tempest cannot be installed in {target}: {problem.strerror}: {problem.filename}",
            "make that folder writable, or set XDG_CACHE_HOME to one that is",
        ) from problem
    return target / "bin"


def _make(target: Path, release: str, index: Secret | None, tell: Tell, asks_index: bool) -> None:
    lock, build = locks(release)
    with tempfile.TemporaryDirectory(prefix="pystack-uv-") as folder:
        wanted = made_of(release)
        files = Store().noted(wanted.name)
        source, links = _configuration(Path(folder), index), list[str]()
        if files is not None and wanted.is_made_of(files):
            # A bundle brought them.
            Store().link(files, Path(folder))
            source, links = ["--no-config", "--offline"], ["--no-index", "--find-links", folder]
        elif not asks_index:
            raise TempestNotInstalled(
                f"the bundle does not have Tempest for this machine ({wanted.target.title})",
                "make one that has it, with `pystack bundle --tempest` and the same Python; where this machine reaches "
                "a package index, leave --bundle away",
            )
        uv = [find_uv_bin(), "--no-progress", "--color=never", *source]
        tell("making a virtual environment for Tempest")
        _run([*uv, "venv", "--clear", "--no-project", "--python", sys.executable, str(target)])
        tell(f"installing Tempest: {distributions(lock.read_bytes())} Python distributions")
        sync = ["pip", "sync", "--python", str(target / "bin" / "python"), "--require-hashes"]
        _run([*uv, *sync, *links, "--build-constraints", str(build), str(lock)])
    (target / COMPLETE).touch()


def _configuration(folder: Path, index: Secret | None) -> list[str]:
    """Return uv's arguments for its index: none where this machine's own uv is configured already."""
    if index is None and own_index.uv_is_configured(os.environ):
        return []
    path = folder / "uv.toml"
    path.touch(mode=0o600)
    path.write_text(configuration(index, {}, own_index.pip(os.environ)), encoding="utf-8")
    return [f"--config-file={path}"]


def _run(command: list[str]) -> None:
    try:
        done = subprocess.run(
            command, capture_output=True, text=True, check=False, stdin=subprocess.DEVNULL, timeout=PATIENCE
        )
    except subprocess.TimeoutExpired:
        raise TempestNotInstalled(
            f"uv did not end within {PATIENCE // 60} minutes", "look at this machine's way to the package index"
        ) from None
    if done.returncode:
        said = explain_failure(Completed(tuple(command), done.returncode, done.stdout, done.stderr))
        raise TempestNotInstalled(
            f"Tempest cannot be installed on this machine: {said}",
            "this machine's own configuration of uv or pip says which package index is used; "
            "CONFIG_PACKAGE_INDEX of the answer file goes before it",
        )


@contextmanager
def _alone() -> Iterator[None]:
    """Let nobody else make an environment meanwhile."""
    with (base() / "lock").open("w") as guard:
        fcntl.flock(guard, fcntl.LOCK_EX)
        yield


def _remove_others(target: Path, release: str) -> None:
    for path in base().glob(f"{release}-*"):
        if path != target:
            shutil.rmtree(path, ignore_errors=True)
