"""The repository of RPMs that stand-ins install from, made once from Debian's packages."""

from __future__ import annotations

import hashlib
import os
import shutil
from collections.abc import Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from installer.lab import image, once, places, platforms
from installer.lab.places import Report, command, write
from installer.lab.stand_in import debs, interpreter, tree
from installer.lab.stand_in.debs import Deb
from installer.lab.stand_in.recipe import FOLDER, REPOSITORIES, Recipe, all_recipes
from installer.lab.stand_in.spec import Spec, plain_version
from installer.lab.workshop import WORK, workshop

#: What Debian's packages are taken from, and what is under a stand-in.
UNDER = "debian-13"
#: What makes a Debian host one of RPM.
TOOLS = ("createrepo-c", "dnf", "dnf-plugins-core", "p11-kit", "rpm")
#: Where a host sees its repositories: a folder for each of ``REPOSITORIES``.
SEEN_AT = "/usr/share/stand-in"
# Part of the folder's name: raise it when the making below changes.
_RECIPE = "2"
_ROOM = 4.0
_RPMBUILD = (
    *("rpmbuild", "-bb", "--quiet"),
    *("--define", "__os_install_post %{nil}", "--define", "_build_id_links none", "--define", f"_topdir /{WORK}/top"),
    *("--define", "_binary_payload w1.zstdio", "--define", "debug_package %{nil}"),
)


def provide(platform: str, report: Report) -> Path:
    """Return the folder of a platform's repositories, one below it for each; makes them when there are none.

    Args:
        platform: such as ``el-9``.
        report: told of the making and its time.

    Raises:
        LabFailed: when packages cannot be fetched or made.
        LabRefused: when the disk is too full, or the machine lacks what must go in.
    """
    base = image.provide(platforms.find(UNDER), True, report, TOOLS)
    texts = [path.read_text() for path in sorted(FOLDER.glob("*.yaml"))]
    python = interpreter.needed(platform)
    content = "\n".join([_RECIPE, base.name, platform, *texts, str(python)])
    folder = places.IMAGES / f"{platform}-repository-{hashlib.sha256(content.encode()).hexdigest()[:12]}"
    what = f"the packages of a stand-in for {platform}, from those of {UNDER}"
    return once.made(folder, what, _ROOM, report, lambda unfinished: _make(unfinished, base, platform))


def _make(unfinished: Path, base: Path, platform: str) -> None:
    recipes = [recipe for recipe in all_recipes() if recipe.name_on(platform)]
    with workshop(base) as root:
        found = {deb.name: deb for deb in _fetched(root, sorted({name for one in recipes for name in one.debian}))}
        taken = {name for recipe in recipes for name in recipe.debian}
        rest = [tree.empty_recipe(deb) for name, deb in sorted(found.items()) if name not in taken]
        installed = installed_packages(root)

        def make(recipe: Recipe) -> None:
            _rpm(root, recipe, platform, found, installed)

        with ThreadPoolExecutor(2) as pool:
            list(pool.map(make, [*recipes, *rest]))
        for name in REPOSITORIES:
            (root / WORK / "rpms" / name).mkdir(parents=True, exist_ok=True)
            command(["chroot", str(root), "createrepo_c", "--quiet", f"/{WORK}/rpms/{name}"])
        shutil.copytree(root / WORK / "rpms", unfinished)


def installed_packages(root: Path) -> frozenset[str]:
    """Return the names of Debian's packages that are installed below a folder."""
    listed = command(["chroot", str(root), "dpkg-query", "-W", "-f", "${db:Status-Abbrev} ${Package}\\n"])
    return frozenset(line.split()[1] for line in listed.splitlines() if line.startswith("ii"))


def _fetched(root: Path, names: Iterable[str]) -> Iterator[Deb]:
    archives = f"/{WORK}/debs"
    (root / archives.lstrip("/") / "partial").mkdir(parents=True)
    inside = ["chroot", str(root), "apt-get", "--quiet", "--yes"]
    command([*inside, "update"])
    # apt passes over what is installed already: the platform's packages of these names want their files all the same.
    there = installed_packages(root)
    options = ["--no-install-recommends", "--download-only", "-o", f"Dir::Cache::archives={archives}/"]
    command([*inside, *options, "install", *names], env={"DEBIAN_FRONTEND": "noninteractive"})
    again = sorted(set(names) & there)
    if again:
        command([*inside, *options, "--reinstall", "install", *again], env={"DEBIAN_FRONTEND": "noninteractive"})
    return map(debs.read, sorted((root / archives.lstrip("/")).glob("*.deb")))


def _rpm(root: Path, recipe: Recipe, platform: str, found: dict[str, Deb], installed: frozenset[str]) -> None:
    """Make one RPM where it is not kept from before: most are the same for every platform."""
    name = recipe.name_on(platform)
    own = [found[one] for one in recipe.debian]
    needed = sorted({one for deb in own for one in debs.needs(deb, found.values(), installed)} - set(recipe.debian))
    prefix = interpreter.needed(platform) if recipe.name in interpreter.NAMES else None
    content = repr([_RECIPE, name, recipe, [deb.path.name for deb in own], needed, prefix])
    kept = places.IMAGES / "stand-in-rpms" / hashlib.sha256(content.encode()).hexdigest()[:24]
    repository = recipe.repository if platform.startswith("el-") else REPOSITORIES[0]
    target = root / WORK / "rpms" / repository
    target.mkdir(parents=True, exist_ok=True)
    if not kept.exists():
        _build(root, recipe, name, own, needed, prefix, kept)
    (rpm,) = kept.iterdir()
    shutil.copy2(rpm, target)


def _build(
    root: Path, recipe: Recipe, name: str, own: list[Deb], needed: list[str], prefix: Path | None, kept: Path
) -> None:
    inside = f"/{WORK}/trees/{name}"
    files = root / inside.lstrip("/")
    tree.lay_out(files, own, recipe)
    if prefix is not None:
        interpreter.add(files, recipe, prefix, root)
    spec = Spec(
        name,
        plain_version(own[0].version if own else "1"),
        inside,
        tuple(tree.entries(files, recipe)),
        (*recipe.requires, *(f"deb({one})" for one in needed)),
        (*recipe.provides, *(f"deb({deb.name})" for deb in own)),
        recipe.accounts,
        recipe.post,
    )
    write(root / WORK / "specs" / f"{name}.spec", spec.text())
    made = f"/{WORK}/made/{name}"
    command(["chroot", str(root), *_RPMBUILD, "--define", f"_rpmdir {made}", f"/{WORK}/specs/{name}.spec"])
    shutil.rmtree(files)
    unfinished = kept.with_name(f"{kept.name}.{os.getpid()}")
    unfinished.mkdir(parents=True)
    for rpm in (root / made.lstrip("/")).rglob("*.rpm"):
        shutil.move(rpm, unfinished)
    try:
        unfinished.rename(kept)
    except OSError:
        # Whoever makes another platform's repository at the same time was first.
        if not kept.is_dir():
            raise
        shutil.rmtree(unfinished)
