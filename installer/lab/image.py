"""Base images: one folder per platform and package list, built once, shared by all lab hosts of that kind."""

from __future__ import annotations

import hashlib
import shutil
import tempfile
from collections.abc import Sequence
from pathlib import Path

from installer.lab import once, places, sources, trust
from installer.lab.places import LabFailed, Report, command, write
from installer.lab.platforms import LabPlatform

# Part of every image's name: raise it when the recipe below changes.
_RECIPE = "1"
_ROOM = 2.0


def provide(platform: LabPlatform, python: bool, report: Report, further: Sequence[str] = ()) -> Path:
    """Return the folder of a base image; builds it when there is none.

    Args:
        platform: what to build.
        python: with Python 3 or without.
        report: told of the build and its time.
        further: packages beyond those of the platform.

    Raises:
        LabFailed: when the packages cannot be fetched or installed.
        LabRefused: when the disk is too full or the machine has no package source for it.
    """
    packages = sorted({*platform.packages, *(platform.python if python else ()), *further})
    listing = sources.sources_for(platform.suite, sources.read())
    options = sources.read_options()
    authorities = trust.read_own_authorities()
    content = "\n".join([_RECIPE, *packages, listing, *options, *sorted(authorities)])
    image = places.IMAGES / f"{platform.name}-{hashlib.sha256(content.encode()).hexdigest()[:12]}"
    what = f"the base image of {platform.name}{'' if python else ' without Python'}{_listed(further)}"

    def make(unfinished: Path) -> None:
        _build(unfinished, platform.suite, packages, listing, options, authorities)

    return once.made(image, what, _ROOM, report, make)


def _build(
    unfinished: Path,
    suite: str,
    packages: list[str],
    listing: str,
    options: list[str],
    authorities: dict[str, str],
) -> None:
    with tempfile.TemporaryDirectory(prefix="pystack-lab-") as scratch:
        write(Path(scratch, "debian.sources"), listing)
        own = Path(scratch, "authorities")
        own.mkdir()
        for name, pem in authorities.items():
            write(own / name, pem)
        mmdebstrap(
            unfinished,
            suite,
            Path(scratch, "debian.sources"),
            [
                "--variant=minbase",
                f"--include={','.join(packages)}",
                "--dpkgopt=force-unsafe-io",
                *(f"--aptopt={option}" for option in options),
                # Before ca-certificates is configured, so that it takes them into its bundle.
                f'--essential-hook=mkdir -p "$1/usr/local/share"; cp -r {own} "$1/usr/local/share/ca-certificates"',
                '--customize-hook=chroot "$1" update-ca-certificates',
                '--customize-hook=chroot "$1" systemctl enable systemd-networkd.service',
            ],
        )
    anonymise(unfinished)
    (unfinished / "etc/dpkg/dpkg.cfg.d/99mmdebstrap").unlink(missing_ok=True)
    made = unfinished / "etc/apt/sources.list.d/0000debian.sources"
    made.rename(made.with_name("debian.sources"))


def mmdebstrap(target: Path, suite: str, listing: Path, options: Sequence[str]) -> None:
    """Fill a folder with packages of Debian.

    Args:
        target: the folder; it is removed again when that fails.
        suite: code name in the package archive.
        listing: file of the package sources.
        options: what to take from there and how, options of mmdebstrap.

    Raises:
        LabFailed: when the packages cannot be fetched or installed.
    """
    try:
        command(
            ["mmdebstrap", "--mode=root", "--format=directory", *options, suite, str(target), str(listing)],
            env={"DEBIAN_FRONTEND": "noninteractive"},
        )
    except LabFailed as error:
        shutil.rmtree(target, ignore_errors=True)
        raise LabFailed(
            f"packages of {suite} could not be made into {target.name}\n{error.message}",
            "A missing key: upgrade the package debian-archive-keyring. A failed fetch: see whether this machine's"
            " mirror (/etc/apt) holds that suite. Then run the same command again.",
        ) from error


def _listed(further: Sequence[str]) -> str:
    return f" with {', '.join(further)}" if further else ""


def anonymise(root: Path) -> None:
    """Take out of an image what must differ between hosts.

    Args:
        root: the image's file system.
    """
    for path in [*root.glob("etc/ssh/ssh_host_*"), root / "etc/hostname", root / "etc/resolv.conf"]:
        path.unlink(missing_ok=True)
    (root / "etc/machine-id").write_text("")


def purge(report: Report) -> None:
    """Remove all cached images."""
    if places.IMAGES.is_dir():
        report(f"removing the cached images in {places.IMAGES}")
        # By a run that was cut off while it made one.
        places.unmount_below(places.IMAGES)
        shutil.rmtree(places.IMAGES)
