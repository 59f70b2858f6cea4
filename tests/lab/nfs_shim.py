"""NFS without an NFS client in the kernel: what is mounted from a share is a folder of the lab host itself.

mount(8) calls ``mount.nfs`` for every mount of that type, whoever asks for it, so services use it unchanged.
"""

from __future__ import annotations

from pathlib import Path

from installer.lab import LabHost

PROGRAM = "/usr/sbin/mount.nfs"
#: Mounted once and privately: a second mount would hide the first, and a shared one would stack up on the folder.
SCRIPT = """#!/bin/sh
[ $# -ge 2 ] || { echo "usage: mount.nfs remotetarget dir"; exit 0; }
mountpoint -q "$2" && exit 0
mount -i --bind "${1#*:}" "$2" && mount --make-private "$2"
"""


def needed() -> bool:
    """Tell whether the kernel that all lab hosts share has no NFS client."""
    return "nfs\n" not in Path("/proc/filesystems").read_text().replace("\t", "\n").replace("nodev", "")


def install(host: LabHost, *folders: str) -> None:
    """Let a lab host mount its own folders as if they were shares; the package that comes later leaves this alone.

    Args:
        host: a Debian or Ubuntu host.
        folders: absolute paths of what is shared; made where they are missing.
    """
    if needed():
        divert = ["dpkg-divert", "--local", "--rename", "--divert", f"{PROGRAM}.package", "--add", PROGRAM]
        host.run(divert, check=True)
        host.run(f"cat > {PROGRAM} && chmod 755 {PROGRAM}", stdin=SCRIPT, check=True)
    for folder in folders:
        host.run(["install", "-d", "-m", "755", folder], check=True)
