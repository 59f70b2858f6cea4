"""Checks that look at one host. Each is a pure function of what its agent found."""

from __future__ import annotations

import datetime
import getpass
import socket
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from installer.outcome import Finding
from installer.platforms import supported_titles
from installer.preflight.seen import Check as Check
from installer.preflight.seen import Seen as Seen
from roles.libvirt.role import is_built

#: What the identity service and its infrastructure need: measured 1.1 GiB at rest, twice that while installing.
LEAST_MEMORY_MIB = 1800
COMFORTABLE_MEMORY_MIB = 7500
#: Packages and their downloads 1.5 GiB, virtual environment and its cache 1.7 GiB, room for databases and logs.
LEAST_DISK_MIB = {"/": 1024, "/var": 3072, "/opt": 1536}
#: Compiler and headers where a Python module is built: measured 285 MiB, their downloads 76 MiB; the module is small.
LEAST_DISK_TO_BUILD_MIB = {"/": 300, "/var": 100}
#: Interpreters that the releases' locks are made for.
PYTHONS = ((3, 11), (3, 12), (3, 13))


def platform(seen: Seen) -> Iterator[Finding]:
    """The distribution and its version are ones that pystack installs on."""
    if seen.host.platform.supported:
        yield seen.good("platform", str(seen.host.platform))
    else:
        yield seen.bad(
            "platform",
            f"{seen.host.platform}, which pystack does not install on",
            "package names, paths and accounts differ between distributions and their releases",
            f"use a host with one of: {supported_titles()}",
        )
    if not seen.report["facts"]["systemd"]:
        yield Finding(
            "systemd",
            "fail",
            "systemd does not run",
            "every service is a systemd unit",
            "boot the host with systemd as its first process",
            seen.host.address,
        )


def python(seen: Seen) -> Iterator[Finding]:
    """The host has, or its distribution packages, a Python that the release's lock is made for."""
    versions = [entry["version"] for entry in seen.report["facts"]["python"]]
    usable = [version for version in versions if tuple(int(part) for part in version.split(".")[:2]) in PYTHONS]
    if usable:
        yield Finding("Python", "success", f"Python {usable[0]}", host=seen.host.address)
    elif seen.host.platform.supported:
        found = f"Python {', '.join(versions)}; one that OpenStack {seen.cloud.release} runs on comes with the packages"
        yield Finding("Python", "success", found, host=seen.host.address)
    else:
        yield Finding(
            "Python",
            "fail",
            f"Python {', '.join(versions) or 'none'}",
            f"OpenStack {seen.cloud.release} is locked for Python 3.11, 3.12 and 3.13",
            "install one of these",
            seen.host.address,
        )


def privilege(seen: Seen) -> Iterator[Finding]:
    """The agent runs as root."""
    if seen.report["facts"]["uid"] == 0:
        yield Finding("privilege", "success", "root", host=seen.host.address)
    else:
        yield Finding(
            "privilege",
            "fail",
            f"uid {seen.report['facts']['uid']}",
            "packages, accounts and units belong to root",
            "log in as root, or as a user who may use sudo (CONFIG_SSH_USER)",
            seen.host.address,
        )


def size(seen: Seen) -> Iterator[Finding]:
    """Memory and cores are enough."""
    memory, cores = seen.report["facts"]["memory_mib"], seen.report["facts"]["cores"]
    found = f"{memory / 1024:.1f} GiB of memory, {cores} cores"
    if memory < LEAST_MEMORY_MIB:
        yield Finding(
            "size",
            "fail",
            found,
            "the services would be killed for want of memory",
            f"give the host at least {LEAST_MEMORY_MIB / 1024:.1f} GiB",
            seen.host.address,
        )
    elif memory < COMFORTABLE_MEMORY_MIB and "controller" in seen.host.groups:
        yield Finding(
            "size",
            "warn",
            found,
            "a whole cloud on one host takes 4 GiB at rest and more with instances",
            "8 GiB are comfortable; CONFIG_SERVICE_WORKERS=1 keeps services small",
            seen.host.address,
        )
    else:
        yield Finding("size", "success", found, host=seen.host.address)


def disk(seen: Seen) -> Iterator[Finding]:
    """The file systems that are written to have room; needs of paths on one file system add up."""
    systems = seen.report["facts"]["file_systems"]
    needs: dict[Any, tuple[int, list[str]]] = {}
    more = LEAST_DISK_TO_BUILD_MIB if seen.host.platform.supported and is_built(seen.cloud, seen.host) else {}
    for path, least in LEAST_DISK_MIB.items():
        device = systems.get(path, systems["/"])["device"]
        total, paths = needs.get(device, (0, []))
        needs[device] = (total + least + more.get(path, 0), [*paths, path])
    short = False
    for device, (least, paths) in needs.items():
        state = next(state for state in systems.values() if state["device"] == device)
        if state["free_mib"] < least and not seen.is_installed:
            short = True
            yield Finding(
                "disk",
                "fail",
                f"{state['free_mib'] / 1024:.1f} GiB free for {', '.join(paths)}",
                "packages, the virtual environment and databases would not fit",
                f"make room: {least / 1024:.1f} GiB are needed there",
                seen.host.address,
            )
    if not short:
        free = min(state["free_mib"] for state in systems.values() if state["device"] in needs)
        yield Finding("disk", "success", f"{free / 1024:.1f} GiB free", host=seen.host.address)


def processor(seen: Seen) -> Iterator[Finding]:
    """Instances can run on the host's processor, or the operator knows that they are emulated."""
    if "compute" not in seen.host.groups or not seen.cloud.answers["CONFIG_NOVA_INSTALL"]:
        return
    kvm, asked = seen.report["facts"]["kvm"], seen.cloud.answers["CONFIG_NOVA_LIBVIRT_VIRT_TYPE"]
    if kvm["works"] or asked == "qemu":
        yield Finding("processor", "success", kvm["found"], host=seen.host.address)
    elif asked == "kvm":
        yield Finding(
            "processor",
            "warn",
            kvm["found"],
            "CONFIG_NOVA_LIBVIRT_VIRT_TYPE=kvm asks for it all the same; instances will not start if it stays so",
            "leave the parameter empty: instances are then emulated on hosts that can do no better",
            seen.host.address,
        )
    else:
        yield Finding(
            "processor",
            "warn",
            f"{kvm['found']}; instances are emulated",
            "they run some ten times slower",
            "switch on virtualization in the firmware, or nested virtualization where this host is a guest itself",
            seen.host.address,
        )


def demo_image(seen: Seen) -> Iterator[Finding]:
    """The image for the demo user comes from somewhere."""
    answers = seen.cloud.answers
    asked = answers["CONFIG_PROVISION_DEMO"] and answers["CONFIG_GLANCE_INSTALL"]
    given = answers["CONFIG_PROVISION_IMAGE_URL"]
    if "controller" not in seen.host.groups or not seen.host.platform.supported or not asked or given:
        return
    if seen.host.platform_facts("test_image") and seen.report["facts"]["architecture"] == "x86_64":
        yield Finding("image", "success", "made of the distribution's own packages", host=seen.host.address)
        return
    yield Finding(
        "image",
        "warn",
        "there will be no image to start instances from, so that none is started to verify the cloud",
        "pystack makes one of the packages of Debian and Ubuntu on x86_64 only",
        "name one in CONFIG_PROVISION_IMAGE_URL, and who logs in to it in CONFIG_PROVISION_IMAGE_SSH_USER, or upload "
        "one later",
        seen.host.address,
    )


def ports_free(seen: Seen) -> Iterator[Finding]:
    """No other program listens on a port that a service will need."""
    taken = [
        (entry["port"], entry["program"], entry["unit"])
        for entry in seen.report["listeners"]
        if entry["port"] in seen.ports and entry["program"] not in seen.ports[entry["port"]]
    ]
    for port, program, unit in taken:
        by = f"{program} ({unit})" if unit else program
        yield Finding(
            "ports",
            "fail",
            f"port {port} is held by {by}",
            f"{', '.join(seen.ports[port])} must listen there",
            f"stop it, or move it to another port; install does not start {', '.join(seen.ports[port])} beside it",
            seen.host.address,
            commands=(f"systemctl disable --now {unit}",) if unit else (),
        )
    if seen.ports and not taken:
        yield Finding(
            "ports", "success", f"{', '.join(map(str, sorted(seen.ports)))} free or ours", host=seen.host.address
        )


def sources(address: str, reached: Sequence[Mapping[str, str]], sent: bool = False) -> Iterator[Finding]:
    """The host reaches its package sources and the Python package index.

    Args:
        address: of the host.
        reached: what its agent found; see ``installer.agent.reach.reach``.
        sent: whether the machine that runs pystack fetches what is on the index, and sends it.
    """
    words = {"packages": "package source", "index": "Python package index"}
    remedies = {
        "packages": "check the host's package sources, its route and its proxy (CONFIG_HTTP_PROXY, or apt's or dnf's)",
        "index": "set CONFIG_PACKAGE_INDEX to an index that the host or this machine reaches, or CONFIG_HTTPS_PROXY; a "
        "proxy that is wrong stands in pip.conf or /etc/environment of the host; or bring a bundle (pystack bundle)",
    }
    for entry in reached:
        what = words[entry["what"]]
        if entry["problem"] and entry["what"] == "index" and sent:
            found = f"{entry['url']} is not reached from here; this machine fetches what is needed, and sends it"
            yield Finding(what, "success", found, host=address)
        elif entry["problem"]:
            yield Finding(
                what,
                "fail",
                f"{entry['url'] or 'none'}: {entry['problem']}",
                "the installation downloads from there",
                remedies[entry["what"]],
                address,
            )
        else:
            yield Finding(what, "success", entry["url"], host=address)


def remains(seen: Seen) -> Iterator[Finding]:
    """Nothing of another OpenStack or another installer is in the way."""
    for what in ("package", "unit", "path"):
        found = [entry for entry in seen.report["remains"] if entry["what"] == what]
        if not found:
            continue
        names = ", ".join(entry["name"] for entry in found[:6]) + (", ..." if len(found) > 6 else "")
        remedy = {
            "package": "remove them if that cloud is no longer needed, or use another host",
            "unit": "disable and remove them if that cloud is no longer needed, or use another host",
            "path": "nothing needs to be done if that cloud is gone; remove the path to silence this",
        }[what]
        yield Finding(
            "remains",
            "warn" if what == "path" else "fail",
            f"{found[0]['words']}: {names}",
            "two clouds on one host fight for ports, accounts and databases",
            remedy,
            seen.host.address,
        )
    if not seen.report["remains"]:
        yield Finding("remains", "success", "no other OpenStack", host=seen.host.address)


def host_lock(seen: Seen) -> Iterator[Finding]:
    """No other installer is at work on the host."""
    holder = seen.report["lock"]
    if holder is None:
        yield Finding("host lock", "success", "free", host=seen.host.address)
        return
    since = datetime.timedelta(
        seconds=round(seen.report["facts"]["time"] - holder.get("since", seen.report["facts"]["time"]))
    )
    owner = holder.get("owner", "another installer")
    found = f"held by {owner}, run {holder.get('run', '?')}, for {since}"
    if owner == f"{getpass.getuser()}@{socket.gethostname()}":
        yield Finding(
            "host lock",
            "warn",
            found,
            "an earlier run of yours still finishes what it began there",
            "none needed: the run waits for it",
            seen.host.address,
        )
    else:
        yield Finding(
            "host lock",
            "fail",
            found,
            "two installers on one host undo each other's work",
            f"ask {owner}, and run again when it has ended",
            seen.host.address,
        )


CHECKS: tuple[Check, ...] = (
    platform,
    python,
    privilege,
    size,
    processor,
    demo_image,
    disk,
    ports_free,
    remains,
    host_lock,
)
