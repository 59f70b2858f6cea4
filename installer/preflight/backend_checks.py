"""Whether hosts reach the storage systems that are to keep volumes, backups and images. Pure functions."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from installer.outcome import Finding
from installer.preflight.seen import Check, Seen

NFS_PORT, SOLIDFIRE_PORT = 2049, 443
#: Of a Ceph monitor: the protocol of today, and the one before. It need not speak both.
MONITOR_PORTS = (3300, 6789)
TITLE = "storage system"
_PLACE = re.compile(r"(?:\[(?P<v6>[^]]+)\]|(?P<host>[^:]+))(?::(?P<port>\d+))?(?:/.*|:/.*)?")


@dataclass(frozen=True)
class Place:
    """Where a storage system must be reached.

    Args:
        address: name or address.
        ports: TCP ports; one of them is enough.
        groups: hosts that must reach it.
        parameter: that names it.
        why: what is done there.
        all_alike: whether others of the same parameter can stand in for it.
    """

    address: str
    ports: tuple[int, ...]
    groups: frozenset[str]
    parameter: str
    why: str
    all_alike: bool = False


def question(answers: Mapping[str, Any]) -> dict[str, Any]:
    """Return what agents are to try, if there is anything."""
    asked = dict.fromkeys((place.address, port) for place in places(answers) for port in place.ports)
    return {"connections": [list(pair) for pair in asked]} if asked else {}


def places(answers: Mapping[str, Any]) -> list[Place]:
    """Return all places where storage systems must be reached, by the answer file."""
    return [*_of_volumes(answers), *_monitors(answers)]


def reachable(seen: Seen) -> Iterator[Finding]:
    """Each storage system answers at its address and port."""
    problems = {(entry["address"], entry["port"]): entry["problem"] for entry in seen.report.get("connections") or ()}
    mine = [place for place in places(seen.cloud.answers) if place.groups & seen.host.groups]
    unreached = {place: told for place in mine if (told := _problem(place, problems))}
    for place in mine:
        where = f"{place.address} port {' or '.join(map(str, place.ports))}"
        if place not in unreached:
            yield Finding(TITLE, "success", f"{where} answers", host=seen.host.address)
            continue
        others = [one for one in mine if one.all_alike and one.parameter == place.parameter and one not in unreached]
        yield Finding(
            TITLE,
            "warn" if others else "fail",
            f"{where}: {unreached[place]}",
            f"{place.why}; without it there is one less to ask" if others else place.why,
            f"check {place.parameter}, the way there, and the firewalls on it: nc -vz {place.address} {place.ports[0]}",
            seen.host.address,
        )


def _problem(place: Place, problems: Mapping[tuple[str, int], str]) -> str:
    told = [problems.get((place.address, port), "it was not tried") for port in place.ports]
    return "" if "" in told else told[0]


def _of_volumes(answers: Mapping[str, Any]) -> Iterator[Place]:
    if not answers["CONFIG_CINDER_INSTALL"]:
        return
    storage, users = frozenset({"storage"}), frozenset({"storage", "compute"})
    made = "volumes are made through it"
    if "netapp" in answers["CONFIG_CINDER_BACKEND"]:
        name = "CONFIG_CINDER_NETAPP_HOSTNAME"
        yield Place(answers[name], (answers["CONFIG_CINDER_NETAPP_SERVER_PORT"],), storage, name, made)
        if answers["CONFIG_CINDER_NETAPP_STORAGE_PROTOCOL"] == "nfs":
            name = "CONFIG_CINDER_NETAPP_NFS_SHARES"
            for address in dict.fromkeys(_parts(share)[0] for share in answers[name]):
                yield Place(address, (NFS_PORT,), users, name, "volumes are files on its shares")
    if "solidfire" in answers["CONFIG_CINDER_BACKEND"]:
        name = "CONFIG_CINDER_SOLIDFIRE_HOSTNAME"
        yield Place(answers[name], (SOLIDFIRE_PORT,), storage, name, made)
    for text in answers["CONFIG_CINDER_BACKEND_ADDRESSES"]:
        address, port = _parts(text)
        yield Place(address, (int(port or 0),), storage, "CONFIG_CINDER_BACKEND_ADDRESSES", made)


def _monitors(answers: Mapping[str, Any]) -> Iterator[Place]:
    volumes = answers["CONFIG_CINDER_INSTALL"] and "ceph" in answers["CONFIG_CINDER_BACKEND"]
    backups = answers["CONFIG_CINDER_INSTALL"] and answers["CONFIG_CINDER_BACKUP"] == "ceph"
    images = answers["CONFIG_GLANCE_INSTALL"] and answers["CONFIG_GLANCE_BACKEND"] == "ceph"
    asked = {"storage": volumes or backups, "compute": volumes, "controller": images}
    groups = frozenset(group for group, wanted in asked.items() if wanted)
    name = "CONFIG_CEPH_MONITORS"
    for text in answers[name] if groups else ():
        address, port = _parts(text)
        ports = (int(port),) if port else MONITOR_PORTS
        yield Place(address, ports, groups, name, "every client asks a monitor where the cluster is", all_alike=True)


def _parts(text: str) -> tuple[str, str]:
    found = _PLACE.fullmatch(str(text))
    if not found:
        return str(text), ""
    return found["v6"] or found["host"], found["port"] or ""


CHECKS: tuple[Check, ...] = (reachable,)
