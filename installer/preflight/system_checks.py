"""Clock, random numbers, language, rights and kernel of a host. Pure functions of what its agent found."""

from __future__ import annotations

import re
from collections.abc import Iterator

from installer.outcome import Finding
from installer.preflight.seen import Check, Seen

#: Locales that are always there, as ``locale -a`` and as configuration writes them.
ALWAYS = ("c", "posix", "c.utf8")
#: Bits of a umask that keep the account of a service from reading what root makes.
UNREADABLE = 0o005
#: Bits of a umask that keep services from each other's files, such as libvirt from Nova's.
UNSHARED = 0o055


def random_numbers(seen: Seen) -> Iterator[Finding]:
    """The kernel has random numbers."""
    if seen.report["system"]["random"]:
        yield seen.good("random numbers", "ready")
        return
    yield seen.bad(
        "random numbers",
        "the kernel has none yet",
        "keys and certificates are made of them, and whoever needs one waits",
        "wait a minute; give a virtual machine a virtio-rng device, or install a package such as rng-tools",
    )


def time_source(seen: Seen) -> Iterator[Finding]:
    """Something keeps the clock right."""
    clock = seen.report["system"]["clock"]
    units = ", ".join(clock["units"])
    if seen.host.is_container:
        yield seen.good("time source", "that of the machine that the container runs on")
    elif seen.cloud.answers["CONFIG_NTP_SERVERS"]:
        yield seen.good("time source", "CONFIG_NTP_SERVERS")
    elif units and clock["kept"] is not False:
        yield seen.good("time source", units)
    else:
        yield seen.bad(
            "time source",
            f"{units} runs, but the clock is not synchronised" if units else "nothing keeps the clock right",
            "clocks that drift apart make tokens and certificates of one host invalid on another",
            "see whether its servers answer (chronyc sources, timedatectl timesync-status)"
            if units
            else "name time servers in CONFIG_NTP_SERVERS: install then sets up chrony",
            outcome="warn",
        )


def locale(seen: Seen) -> Iterator[Finding]:
    """The language that is set is one that the host has, in UTF-8, or none."""
    told = seen.report["system"]["locale"]
    known = {*ALWAYS, *map(_plain, told["are"])}
    fine = True
    for path, variables in told["set"].items():
        wrong = [
            f"{name}={value}"
            for name, value in variables.items()
            if _plain(value) not in known or not _plain(value).endswith(("utf8", *ALWAYS))
        ]
        if wrong:
            fine = False
            yield seen.bad(
                "locale",
                f"{path} sets {', '.join(wrong)}, which this host does not have or which is not UTF-8",
                "services and package scripts fall back to ASCII, and stumble over names with other letters",
                "set one that locale -a lists and that ends with UTF-8",
                f"echo LANG=C.UTF-8 > {path}",
                outcome="warn",
            )
    if fine:
        values = [value for variables in told["set"].values() for value in variables.values()]
        yield seen.good("locale", ", ".join(dict.fromkeys(values)) or "none is set")


def umask(seen: Seen) -> Iterator[Finding]:
    """What root and services make can be read by the services that need it."""
    told = seen.report["system"]["umask"]
    fine = True
    if int(told["services"], 8) & UNSHARED:
        fine = False
        yield seen.bad(
            "umask",
            f"{told['path']} sets UMask={told['services']} for all services",
            "services could not read each other's files: QEMU, for one, those of Nova's instances",
            "take the line out of that file, or set UMask=0022 there, and reload systemd",
            f"sed -i '/^ *UMask/d' {told['path']}",
            "systemctl daemon-reload",
        )
    if int(told["login"], 8) & UNREADABLE:
        fine = False
        yield seen.bad(
            "umask",
            f"{told['login']} at login",
            "pystack works with 0022 all the same, but services cannot read files that you make on this host, such as "
            "settings of your own",
            "set it back to 022 (UMASK in /etc/login.defs, pam_umask in /etc/pam.d), or chmod go+r what you make",
            outcome="warn",
        )
    if fine:
        yield seen.good("umask", told["login"])


def kernel(seen: Seen) -> Iterator[Finding]:
    """The kernel that runs is the newest one installed."""
    if seen.host.is_container:
        return
    running, installed = seen.facts["kernel"], seen.report["system"]["kernels"]
    newest = max(installed, key=_version, default=running)
    if _version(newest) <= _version(running):
        yield seen.good("kernel", running)
        return
    yield seen.bad(
        "kernel",
        f"{running} runs, and {newest} is installed",
        "modules for the one that runs may be gone or come too old, those of Open vSwitch and KVM among them; the next "
        "reboot changes the kernel under a cloud that works",
        "reboot the host before you install",
        "systemctl reboot",
        outcome="warn",
    )


def _plain(name: str) -> str:
    return name.partition("@")[0].lower().replace("utf-8", "utf8")


def _version(release: str) -> list[int]:
    """Return the numbers of a kernel's release; names of flavours, and of processors, are not part of it."""
    without = re.sub(r"(x86_64|amd64|aarch64|arm64|i686)", "", release)
    return [int(number) for number in re.findall(r"\d+", without)]


CHECKS: tuple[Check, ...] = (random_numbers, time_source, locale, umask, kernel)
