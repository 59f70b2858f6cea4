"""What the lab needs of this machine: root, a few packages, room on its disk."""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterable
from pathlib import Path

from installer.lab.places import LabRefused, Report, command

# Program by the Debian package that brings it.
_PROGRAMS = {
    "mkfs.ext4": "e2fsprogs",
    "mmdebstrap": "mmdebstrap",
    "systemd-nspawn": "systemd-container",
    "nft": "nftables",
    "ip": "iproute2",
    "ssh": "openssh-client",
}


def check(programs: Iterable[str] = _PROGRAMS, report: Report | None = None) -> None:
    """Make sure that the lab can be made here; installs the packages it needs where they are missing.

    Args:
        programs: what will be used.
        report: told of packages that are being installed; with None missing programs are an error.

    Raises:
        LabRefused: not root, no apt, or programs missing.
    """
    if os.geteuid() != 0:
        raise LabRefused("making lab hosts needs root", "Run the same command as root, for example with sudo.")
    missing = sorted(_PROGRAMS[program] for program in programs if not shutil.which(program))
    if not missing:
        return
    if not shutil.which("apt-get"):
        raise LabRefused(
            f"the lab needs {', '.join(missing)}, and this machine has no apt to install them with",
            "Run the lab on a Debian machine, or give pystack hosts of your own with --hosts.",
        )
    if report is None:
        raise LabRefused(f"the lab needs the packages {', '.join(missing)}", f"apt-get install {' '.join(missing)}")
    report(f"installing what the lab needs: {', '.join(missing)}")
    quiet = {"DEBIAN_FRONTEND": "noninteractive"}
    command(["apt-get", "-qq", "update"], env=quiet)
    command(["apt-get", "-qq", "-y", "--no-install-recommends", "install", *missing], env=quiet)


def check_room(folder: Path, gibibytes: float, purpose: str) -> None:
    """Refuse when a disk is too full.

    Args:
        folder: where the data will be; it need not exist yet.
        gibibytes: free space wanted.
        purpose: what for, as it reads in the message.

    Raises:
        LabRefused: when there is less.
    """
    while not folder.exists():
        folder = folder.parent
    free = shutil.disk_usage(folder).free / 2**30
    if free < gibibytes:
        raise LabRefused(
            f"{purpose} needs {gibibytes:.0f} GiB free on the file system of {folder}; there are {free:.1f}",
            "Make room there, or remove old lab images with `pystack lab-down --purge`.",
        )


def doubtful_name_servers() -> list[str]:
    """Return a warning when a lab host cannot use any of this machine's name servers; else nothing."""
    servers = [line.split()[1] for line in resolv_conf().splitlines() if line.startswith("nameserver ")]
    if all(server.startswith(("127.", "::1")) for server in servers):
        return [
            "warning: /etc/resolv.conf names no server but this machine's own loopback, which lab hosts cannot reach;"
            " they will not resolve names"
        ]
    return []


def resolv_conf() -> str:
    """Return the name servers of this machine, as a lab host behind its address translation can use them."""
    upstream, plain = Path("/run/systemd/resolve/resolv.conf"), Path("/etc/resolv.conf")
    text = plain.read_text() if plain.is_file() else ""
    # systemd-resolved listens on a loopback address of the machine and keeps the real servers elsewhere.
    return upstream.read_text() if "nameserver 127." in text and upstream.is_file() else text
