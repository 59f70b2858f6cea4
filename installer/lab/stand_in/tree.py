"""The files of one RPM: unpacked from Debian's packages, and laid out as the platform has them."""

from __future__ import annotations

import fnmatch
import os
import re
import shutil
import stat
from collections.abc import Iterator
from pathlib import Path

from installer.lab.places import command, write
from installer.lab.stand_in.debs import Deb
from installer.lab.stand_in.recipe import Recipe
from installer.lab.stand_in.spec import Entry

#: What nobody reads on a throw-away host.
_UNREAD = ("usr/share/doc", "usr/share/man", "usr/share/lintian", "usr/share/bug", "usr/share/locale", "etc/init.d")
#: Folders at the top that are links into /usr.
_MERGED = ("bin", "sbin", "lib", "lib64")


def lay_out(tree: Path, found: list[Deb], recipe: Recipe) -> None:
    """Make the folder of an RPM's files.

    Args:
        tree: the folder; made.
        found: Debian's packages whose files it has.
        recipe: what is different on the platform.

    Raises:
        LabFailed: a package that cannot be unpacked, or has not what the recipe moves or leaves out.
    """
    tree.mkdir(parents=True)
    for deb in found:
        command(["dpkg-deb", "--extract", str(deb.path), str(tree)])
    for name in _UNREAD:
        if (tree / name).exists():
            _leave_out(tree / name, tree)
    for name in _MERGED:
        top = tree / name
        if top.is_dir() and not top.is_symlink():
            (tree / "usr" / name).mkdir(parents=True, exist_ok=True)
            command(["cp", "-a", f"{top}/.", str(tree / "usr" / name)])
            shutil.rmtree(top)
    for pattern in recipe.without:
        for left_out in _matching(tree, pattern):
            _leave_out(left_out, tree)
    for old, new in recipe.moves.items():
        moved = tree / new.lstrip("/")
        moved.parent.mkdir(parents=True, exist_ok=True)
        command(["mv", str(tree / old.lstrip("/")), str(moved)])
    for path, target in recipe.links.items():
        link = tree / path.lstrip("/")
        link.parent.mkdir(parents=True, exist_ok=True)
        link.unlink(missing_ok=True)
        link.symlink_to(target)
    for path, text in recipe.files.items():
        write(tree / path.lstrip("/"), text, 0o755 if text.startswith("#!") else 0o644)
    for path in recipe.folders:
        (tree / path.lstrip("/")).mkdir(parents=True, exist_ok=True)


def remove(path: Path) -> None:
    """Remove a file, a link or a folder with all that is in it."""
    if path.is_dir() and not path.is_symlink():
        shutil.rmtree(path)
    else:
        path.unlink()


def _leave_out(path: Path, tree: Path) -> None:
    """Remove a path, and the folders above it that are empty then: they belong to the system."""
    remove(path)
    for folder in path.parents:
        if folder == tree or any(folder.iterdir()):
            return
        folder.rmdir()


def _matching(tree: Path, pattern: str) -> list[Path]:
    found = [path for path in map(Path, _walk(tree)) if fnmatch.fnmatchcase(f"/{path.relative_to(tree)}", pattern)]
    return [path for path in found if not any(parent in found for parent in path.parents)]


def _walk(tree: Path) -> Iterator[str]:
    for folder, folders, files in os.walk(tree):
        yield from (os.path.join(folder, name) for name in sorted([*folders, *files]))


def entries(tree: Path, recipe: Recipe) -> Iterator[Entry]:
    """Yield what an RPM says of each of its paths; folders only where they are its own or empty."""
    for text in _walk(tree):
        path = f"/{Path(text).relative_to(tree)}"
        state = os.lstat(text)
        if stat.S_ISLNK(state.st_mode):
            yield Entry(path)
        elif stat.S_ISDIR(state.st_mode):
            if path in recipe.folders:
                mode, owner, group = recipe.folders[path]
                yield Entry(path, int(mode, 8), owner, group, folder=True)
            elif not os.listdir(text):
                yield Entry(path, stat.S_IMODE(state.st_mode), folder=True)
        else:
            yield Entry(path, stat.S_IMODE(state.st_mode), configuration=path.startswith("/etc/"))


def empty_recipe(deb: Deb) -> Recipe:
    """Return the recipe of a package that nothing on the platform names: its files as they are."""
    return Recipe(re.sub(r"[^A-Za-z0-9.+_-]", "_", deb.name), (deb.name,))
