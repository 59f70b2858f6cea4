"""What is in a bundle, and a host that has nothing else to install packages from."""

from __future__ import annotations

import gzip
import hashlib
import json
import subprocess
import tarfile
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from installer.lab import LabHost
from tests.lab import on_platform

#: Where the packages of a bundle are put on the host, as a mirror of the site's own.
MIRROR = "/srv/pystack"
#: Words of an installation from such a mirror: what brings repositories of EL's would bring some that nobody reaches.
SOURCES_LEFT_ALONE = ("--set=CONFIG_ENABLE_REPOSITORIES=n",)


def manifest(bundle: Path) -> dict[str, Any]:
    """Return what a bundle says of itself."""
    with tarfile.open(bundle) as archive:
        opened = archive.extractfile("manifest.json")
        assert opened is not None
        told: dict[str, Any] = json.load(opened)
    return told


def as_mirror(bundle: Path, host: LabHost, beside: Sequence[str] = ()) -> list[Path]:
    """Make a repository on the host of the packages of a bundle, and return their files.

    Args:
        bundle: the bundle.
        host: the host.
        beside: names of packages that the host downloads, to be in the repository, too.
    """
    target = host.root / MIRROR.lstrip("/")
    target.mkdir(parents=True)
    with tarfile.open(bundle) as archive:
        archive.extractall(target, [one for one in archive if one.name.startswith("packages/")], filter="data")
    folder = target / "packages" / host.platform
    for name in beside:
        command = "dnf" if on_platform.of_rpm(host) else "apt-get -qq update && apt-get -o APT::Sandbox::User=root"
        host.run(f"cd {MIRROR}/packages/{host.platform} && {command} download {name}", check=True)
    if on_platform.of_rpm(host):
        host.run(f"createrepo_c --quiet {MIRROR}/packages/{host.platform}", check=True)
        return sorted(folder.glob("*.rpm"))
    packages = sorted(folder.glob("*.deb"))
    with gzip.open(folder / "Packages.gz", "wt") as stream:
        stream.writelines(f"{entry(package)}\n" for package in packages)
    return packages


def entry(package: Path) -> str:
    """Return what apt's index says of a package, as dpkg-scanpackages writes it."""
    fields = subprocess.check_output(["dpkg-deb", "--field", str(package)], text=True)
    digest = hashlib.sha256(package.read_bytes()).hexdigest()
    return f"{fields}Filename: ./{package.name}\nSize: {package.stat().st_size}\nSHA256: {digest}\n"


def leave_only(bundle: Path, host: LabHost, beside: Sequence[str] = ()) -> None:
    """Let the packages of a bundle be the only ones that a host has a repository of; see ``as_mirror``."""
    as_mirror(bundle, host, beside)
    url = f"file:{MIRROR}/packages/{host.platform}"
    if on_platform.of_rpm(host):
        host.run("rm -rf /etc/yum.repos.d/* /usr/share/stand-in", check=True)
        source = f"[pystack]\nname=pystack\nbaseurl={url}\ngpgcheck=0\nmodule_hotfixes=1\n"
        (host.root / "etc/yum.repos.d/pystack.repo").write_text(source)
    else:
        host.run("rm -rf /etc/apt/sources.list /etc/apt/sources.list.d/* /var/lib/apt/lists/*", check=True)
        (host.root / "etc/apt/sources.list.d/pystack.list").write_text(f"deb [trusted=yes] {url} ./\n")
