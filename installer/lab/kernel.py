"""The kernel of lab hosts that have one of their own: User-mode Linux, Debian's package, unpacked beside the images.

It comes from Debian 14 (forky), whatever this machine and the host run. The kernels of Debian 12 and 13 (6.1 and 6.12)
fail at the first user process where the processor has AMX: they hand ptrace a register set that is too small. This one
(7.2) runs processes under seccomp instead. It needs a newer C library than this machine may have, so it is unpacked
with its own and run in a container of its own.

What it lacks: a second processor; and firewalls, as it has no legacy tables of iptables and of nft only the family
``bridge`` (CONFIG_NF_TABLES_IPV4 and _INET are not set). Those are tested on hosts that share this machine's kernel.
"""

from __future__ import annotations

import hashlib
import tempfile
from pathlib import Path

from installer.lab import image, once, places, sources
from installer.lab.places import Report, write

#: What starts the kernel, and the folder of its modules, in the folder that `provide` returns.
PROGRAM = "/usr/bin/boot-lab-host"
MODULES = "usr/lib/uml/modules"
#: Where the running kernel sees its host's folder, and where its memory is.
HOST = "/host"
MEMORY = "/memory"

_SUITE = "forky"
_PACKAGE = "user-mode-linux"
# To reboot, the kernel runs its own program again, by the name that it was started with. It leaves open what it had,
# and the new one would find its network interface taken and twice its memory in use: so it is this that runs again.
_BOOT = """#!/bin/bash
for open in /proc/$$/fd/*; do
    number=${open##*/}
    if [[ $number -gt 2 && $number -ne 255 ]]; then exec {number}>&-; fi
done
exec -a "$0" /usr/bin/linux.uml "$@"
"""
# Part of the folder's name: raise it when the recipe below changes.
_RECIPE = "1"
_ROOM = 0.5


def provide(report: Report) -> Path:
    """Return the folder that holds the kernel, its modules and the C library it needs; makes it when there is none.

    Args:
        report: told when it is made.

    Raises:
        LabFailed: when the package cannot be fetched.
        LabRefused: when the disk is too full or the machine has no package source for it.
    """
    listing = sources.sources_for(_SUITE, sources.read(), endings=())
    options = sources.read_options()
    content = "\n".join([_RECIPE, _BOOT, listing, *options])
    folder = places.IMAGES / f"kernel-{hashlib.sha256(content.encode()).hexdigest()[:12]}"
    what = f"a kernel for lab hosts of {_PACKAGE} in {_SUITE}"
    return once.made(folder, what, _ROOM, report, lambda unfinished: _unpack(unfinished, listing, options))


def _unpack(unfinished: Path, listing: str, options: list[str]) -> None:
    with tempfile.TemporaryDirectory(prefix="pystack-lab-") as scratch:
        write(Path(scratch, "debian.sources"), listing)
        wanted = ["--variant=extract", f"--include=bash,{_PACKAGE}", *(f"--aptopt={option}" for option in options)]
        image.mmdebstrap(unfinished, _SUITE, Path(scratch, "debian.sources"), wanted)
    # No package was configured, so nothing made the links of a merged /usr; the folder is used read-only.
    for name in ("bin", "lib", "lib64", "sbin"):
        (unfinished / "usr" / name).mkdir(exist_ok=True)
        if not (unfinished / name).exists():
            (unfinished / name).symlink_to(f"usr/{name}")
    for name in ("dev", "proc", "run", "sys", "tmp", HOST.lstrip("/"), MEMORY.lstrip("/")):
        (unfinished / name).mkdir(exist_ok=True)
    write(unfinished / PROGRAM.lstrip("/"), _BOOT, 0o755)


def version(folder: Path) -> str:
    """Return the kernel's version, as ``uname -r`` says it on a host."""
    (modules,) = (folder / MODULES).iterdir()
    return modules.name
