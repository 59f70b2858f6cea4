"""The virtual environment of a checkout: made on first use, remade when the dependencies change.

Runs before anything is installed, perhaps by an old interpreter of the distribution: standard library only, and no
syntax newer than Python 3.7. Nothing else of pystack may be imported here.
"""

from __future__ import annotations

import contextlib
import fcntl
import getpass
import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

OLDEST = (3, 11)
NAMES = ("python3.13", "python3.12", "python3.11", "python3")
STAMP = "pystack-stamp"
SECONDS = 30


class EnvironmentProblem(Exception):
    """The environment cannot be made; the message says what to do."""


def python_of(root: Path) -> Path:
    """Return the interpreter of a checkout's environment, which may not exist yet."""
    return root / ".venv" / "bin" / "python"


def is_inside(root: Path) -> bool:
    """Tell whether this process runs in the checkout's environment."""
    return Path(sys.prefix).resolve() == (root / ".venv").resolve()


def newest_python() -> str:
    """Return an interpreter of version 3.11 or later: this one if it will do, else the newest on PATH.

    Raises:
        EnvironmentProblem: there is none.
    """
    if sys.version_info >= OLDEST:
        return sys.executable
    for name in NAMES:
        path = shutil.which(name)
        if path and _is_new_enough(path):
            return path
    raise EnvironmentProblem(
        "pystack needs Python 3.11 or later, and this machine has only {}.{}\n"
        "remedy: install one (for example apt-get install python3.11 or dnf install python3.12), then run again".format(
            *sys.version_info[:2]
        )
    )


def _is_new_enough(python: str) -> bool:
    test = f"import sys; sys.exit(sys.version_info < {OLDEST})"
    # A version manager's stand-in may be on PATH without an interpreter behind it, so it is tried.
    return subprocess.call([python, "-c", test], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL) == 0


def dependencies(root: Path, extra: str = "") -> list[str]:
    """Return what pyproject.toml asks for, with one of its optional groups if named. Needs Python 3.11."""
    import tomllib

    project = tomllib.loads((root / "pyproject.toml").read_text())["project"]
    return list(project["dependencies"]) + list(project["optional-dependencies"][extra] if extra else [])


def is_ready(root: Path, wanted: list[str]) -> bool:
    """Tell whether the environment was made whole and holds all that is wanted."""
    return set(wanted) <= _stamped(root)


def prepare(root: Path, extra: str = "") -> None:
    """Make the environment, or bring it up to date; quick and quiet when there is nothing to do.

    Args:
        root: the checkout.
        extra: an optional group of dependencies, such as ``test``.

    Raises:
        EnvironmentProblem: it cannot be made.
    """
    wanted = dependencies(root, extra)
    if is_ready(root, wanted):
        return
    try:
        if not os.access(str(root), os.W_OK):
            raise PermissionError(f"{getpass.getuser()} may not write to {root}")
        guard = os.open(str(root), os.O_RDONLY)
        fcntl.flock(guard, fcntl.LOCK_EX)
        if not is_ready(root, wanted):
            _make(root, wanted)
        os.close(guard)
    except OSError as problem:
        raise EnvironmentProblem(
            f"the environment {root}/.venv cannot be made: {problem}\n"
            "remedy: run pystack once as the owner of that folder, with room on its disk"
        ) from problem


def _make(root: Path, wanted: list[str]) -> None:
    folder = root / ".venv"
    old = _stamped(root)
    first = not old or not python_of(root).exists()
    words = "first use: preparing" if first else "the dependencies have changed: updating"
    print(f"{words} .venv (about {SECONDS} s)", file=sys.stderr)
    # Without its stamp a half-made environment is told from a whole one, whenever this is cut short.
    with contextlib.suppress(FileNotFoundError):
        (folder / STAMP).unlink()
    if first:
        shutil.rmtree(str(folder), ignore_errors=True)
        _make_empty(folder)
    pip = [str(python_of(root)), "-m", "pip", "--disable-pip-version-check", "--no-input", "install", "--quiet"]
    _run([*pip, *wanted], "installing the dependencies of pystack failed", _PIP_REMEDY)
    fresh = folder / (STAMP + ".new")
    stamp = {"interpreter": str(python_of(root).resolve()), "dependencies": sorted(set(wanted) | old)}
    fresh.write_text(json.dumps(stamp, indent=1))
    fresh.replace(folder / STAMP)


_PIP_REMEDY = "look at the network and at pip's own configuration (pip config list), then run again"


def _make_empty(folder: Path) -> None:
    has_venv = [sys.executable, "-c", "import venv, ensurepip"]
    if subprocess.call(has_venv, stderr=subprocess.DEVNULL) != 0:
        _install_venv_package()
    _run([sys.executable, "-m", "venv", str(folder)], "making the environment failed", "remove .venv and run again")


def _install_venv_package() -> None:
    package = "python{}.{}-venv".format(*sys.version_info[:2])
    missing = f"this Python ({sys.executable}) has no module venv, or no ensurepip"
    if not shutil.which("apt-get"):
        remedy = "install them from where it is from, or put a Python that has them first on PATH, then run again"
        raise EnvironmentProblem(f"{missing}\nremedy: {remedy}")
    if os.geteuid() != 0:
        raise EnvironmentProblem(f"{missing}\nremedy: as root, apt-get install {package}, then run again")
    print(f"{missing}: installing the package {package} with apt-get", file=sys.stderr)
    quiet = {**os.environ, "DEBIAN_FRONTEND": "noninteractive"}
    apt = ["apt-get", "-qq", "-y", "--no-install-recommends"]
    remedy = f"run apt-get update, then apt-get install {package}"
    _run(["apt-get", "-qq", "update"], "apt-get update failed", remedy, quiet)
    _run([*apt, "install", package], f"installing {package} failed", remedy, quiet)


def _run(argv: list[str], failed: str, remedy: str, environ: dict[str, str] | None = None) -> None:
    done = subprocess.run(argv, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, env=environ)
    if done.returncode:
        tail = "\n".join("  " + line for line in done.stdout.decode(errors="replace").splitlines()[-12:])
        raise EnvironmentProblem(f"{failed} (exit code {done.returncode})\n{tail}\nremedy: {remedy}")


def _stamped(root: Path) -> set[str]:
    """Return what the environment was made with; nothing if it is not whole or its interpreter is another now."""
    try:
        stamp = json.loads((root / ".venv" / STAMP).read_text())
        same = stamp["interpreter"] == str(python_of(root).resolve(strict=True))
        return set(stamp["dependencies"]) if same else set()
    except (OSError, ValueError, KeyError, TypeError):
        return set()
