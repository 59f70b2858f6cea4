"""Whether services and packages can write and run programs where they must. Pure functions of what agents found."""

from __future__ import annotations

from collections.abc import Iterator

from installer.outcome import Finding
from installer.preflight.host_checks import LEAST_DISK_MIB
from installer.preflight.seen import Check, Seen

#: Where programs are that services, packages and their scripts run.
RUN_FROM = ("/", "/usr", "/opt", "/var/lib")
#: Where scripts of packages keep short-lived programs.
RUN_FROM_FOR_A_WHILE = ("/tmp", "/var/tmp")
#: Nobody writes there but to change the kernel.
SELDOM_WRITTEN = ("/boot",)
#: A place is full where less than so many MiB, or files, are left.
LEAST_MIB = 32
LEAST_FILES = {"/opt": 60_000, "/var": 20_000, "/": 20_000}
LEAST_FILES_ELSEWHERE = 500


def writable(seen: Seen) -> Iterator[Finding]:
    """File systems that services and packages write to can be written to, and have room for more files."""
    fine = True
    for point, places in _points(seen).items():
        told, first = seen.report["mounts"][places[0]], ", ".join(places)
        written = [place for place in places if place not in SELDOM_WRITTEN]
        if not written:
            continue
        needed = max(LEAST_FILES.get(place, LEAST_FILES_ELSEWHERE) for place in written)
        if "ro" in told["options"]:
            fine = False
            yield seen.bad(
                "file systems",
                f"{first}: mounted read-only at {point}",
                "packages and services write there",
                "see in /etc/fstab, or by dmesg, why it is; then mount it for writing",
                f"mount -o remount,rw {point}",
            )
        elif told["free_mib"] < LEAST_MIB and (seen.is_installed or not set(places) & set(LEAST_DISK_MIB)):
            fine = False
            yield seen.bad(
                "file systems",
                f"{first}: {told['free_mib']} MiB free at {point}",
                "whatever must be written there fails",
                f"make room on {point}",
            )
        elif told["inodes"] is not None and told["inodes"] < needed and not seen.is_installed:
            fine = False
            yield seen.bad(
                "file systems",
                f"{first}: room for {told['inodes']} more files at {point}, whatever their size",
                f"packages and the virtual environment are {needed} files and more",
                f"remove files from {point} (du --inodes -x {point} tells where many are), or make it anew with more "
                "inodes",
            )
    if fine:
        yield seen.good("file systems", "can be written to")


def executable(seen: Seen) -> Iterator[Finding]:
    """Programs can be run from where services and packages keep them."""
    fine = True
    for point, places in _points(seen).items():
        options = seen.report["mounts"][places[0]]["options"]
        must = [place for place in places if place in RUN_FROM]
        may = [place for place in places if place in RUN_FROM_FOR_A_WHILE]
        forbidden = [option for option in ("noexec", "nosuid") if option in options]
        if must and forbidden:
            fine = False
            yield seen.bad(
                "mount options",
                f"{', '.join(must)}: mounted {' and '.join(forbidden)} at {point}",
                "programs of services and packages' scripts are run from there, some by sudo",
                "take that out of /etc/fstab, and mount it anew",
                f"mount -o remount,exec,suid {point}",
            )
        elif may and "noexec" in options:
            fine = False
            yield seen.bad(
                "mount options",
                f"{', '.join(may)}: mounted noexec at {point}",
                "scripts that packages bring are put there and run; without them packages are set up by their defaults",
                "allow it at least while packages are installed",
                f"mount -o remount,exec {point}",
                outcome="warn",
            )
    if fine:
        yield seen.good("mount options", "programs can be run")


def _points(seen: Seen) -> dict[str, list[str]]:
    found: dict[str, list[str]] = {}
    for place, told in seen.report["mounts"].items():
        found.setdefault(told["point"], []).append(place)
    return found


CHECKS: tuple[Check, ...] = (writable, executable)
