"""Python for OpenStack where Debian has no package of the version that the platform has: this machine's own.

And what the platform has for that Python: libvirt's module, built as the platform's makers do it.
"""

from __future__ import annotations

import shutil
import subprocess
from ipaddress import IPv4Network
from pathlib import Path

from uv import find_uv_bin

from installer.lab import settings
from installer.lab.places import PlatformNotPossible, command
from installer.lab.stand_in.recipe import Recipe
from installer.lab.workshop import WORK

#: Version by platform. Debian has the others.
VERSIONS = {"el-9": "3.12", "el-10": "3.12"}
#: The recipes that these go into.
NAME, MODULE = NAMES = ("python3.12", "python3-libvirt")
#: What builds the module, and its version: that of the libvirt of Debian 13.
BUILDERS = ("gcc", "libc6-dev", "libvirt-dev", "pkgconf")
_REQUIREMENT = "libvirt-python==11.3.0"
_LOCAL = IPv4Network("127.0.0.0/8")
_ASK = "import sys; print(sys.version_info[0], sys.version_info[1], sys.base_prefix, sep='\\n')"


def needed(platform: str) -> Path | None:
    """Return the folder that a platform's interpreter is taken from; None where Debian has a package of it.

    Raises:
        PlatformNotPossible: when this machine has no such interpreter.
    """
    version = VERSIONS.get(platform)
    if version is None:
        return None
    for program in candidates(version):
        prefix = _prefix(program, version)
        if prefix is not None:
            return prefix
    raise PlatformNotPossible(
        f"a stand-in for {platform} needs Python {version}, which Debian does not have and this machine has not either",
        f"Install one below a folder of its own, for example with `uv python install {version}` or pyenv, and see that"
        f" `python{version}` or pyenv has it.",
    )


def candidates(version: str) -> list[Path]:
    """Return the programs that may be an interpreter of a version, the likeliest first."""
    found = [Path(path) for path in [shutil.which(f"python{version}")] if path]
    for pattern in (f".pyenv/versions/{version}.*", f".local/share/uv/python/cpython-{version}.*"):
        found += sorted((folder / "bin" / f"python{version}" for folder in Path.home().glob(pattern)), reverse=True)
    return [path for path in found if path.exists()]


def _prefix(program: Path, version: str) -> Path | None:
    """Return the folder that an interpreter lives in; None for another version, and for one of a distribution."""
    done = subprocess.run([str(program), "-c", _ASK], capture_output=True, text=True)
    if done.returncode:
        return None
    major, minor, prefix = done.stdout.splitlines()
    return Path(prefix) if f"{major}.{minor}" == version and prefix not in ("/usr", "/usr/local") else None


def add(tree: Path, recipe: Recipe, prefix: Path, workshop: Path) -> None:
    """Put interpreter or module into the files of the RPM that is named for it.

    Args:
        tree: the folder of its files.
        recipe: which RPM it is, one of ``NAMES``.
        prefix: the folder that the interpreter is taken from.
        workshop: the system that packages are made in.
    """
    version = NAME.removeprefix("python")
    if recipe.name == NAME:
        _interpreter(tree, prefix, version)
    else:
        _module(tree, prefix, version, workshop)


def _module(tree: Path, prefix: Path, version: str, workshop: Path) -> None:
    _interpreter(workshop, prefix, version)
    shutil.copy2(find_uv_bin(), workshop / "usr/bin/uv")
    settings.index_and_proxies(workshop / "etc", _LOCAL)
    inside = ["chroot", str(workshop)]
    command([*inside, "apt-get", "--yes", "--no-install-recommends", "install", *BUILDERS])
    target = f"usr/lib64/python{version}/site-packages"
    install = ["uv", "pip", "install", "--python", f"/usr/bin/python{version}", "--target", f"/{WORK}/{MODULE}"]
    command([*inside, *install, _REQUIREMENT])
    (tree / target).parent.mkdir(parents=True)
    command(["cp", "-a", str(workshop / WORK / MODULE), str(tree / target)])


def _interpreter(tree: Path, prefix: Path, version: str) -> None:
    for part in (f"lib/python{version}", f"include/python{version}"):
        (tree / "usr" / part).parent.mkdir(parents=True, exist_ok=True)
        command(["cp", "-a", str(prefix / part), str(tree / "usr" / part)])
    for folder in ("site-packages", "test"):
        shutil.rmtree(tree / "usr/lib" / f"python{version}" / folder, ignore_errors=True)
    (tree / "usr/lib" / f"python{version}" / "site-packages").mkdir()
    (tree / "usr/bin").mkdir(parents=True, exist_ok=True)
    shutil.copy2((prefix / "bin" / f"python{version}").resolve(), tree / "usr/bin" / f"python{version}")
    for library in (prefix / "lib").glob(f"libpython{version}.so*"):
        target = tree / "usr/lib/x86_64-linux-gnu" / library.name
        target.parent.mkdir(parents=True, exist_ok=True)
        shutil.copy2(library, target, follow_symlinks=False)
