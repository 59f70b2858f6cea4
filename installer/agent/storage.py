"""The file systems that services and packages write to, as they are mounted. Changes nothing."""

from __future__ import annotations

import os
from typing import Any, Dict, List, Mapping, Tuple

from installer.resources.texts import text_of

#: Where services and packages write, and where they run programs from.
PLACES = ("/", "/boot", "/etc", "/opt", "/root", "/run", "/tmp", "/usr", "/var", "/var/lib", "/var/log", "/var/tmp")


def mounts(mountinfo: str = "/proc/self/mountinfo") -> Dict[str, Dict[str, Any]]:
    """Return for each of these places its mount: ``point``, ``kind``, ``options``, ``free_mib``, free ``inodes``
    (None: they do not run out).

    Args:
        mountinfo: the list of mounts, see proc_pid_mountinfo(5).
    """
    found = parse(text_of(mountinfo))
    return {place: {**mount_of(place, found), **_room(place)} for place in PLACES if os.path.isdir(place)}


def parse(text: str) -> Dict[str, Tuple[str, List[str]]]:
    """Return kind and options of each mount by its point; of several at one point the last covers the others."""
    found = {}
    for line in text.splitlines():
        fields, _, rest = line.partition(" - ")
        words, further = fields.split(), rest.split()
        if len(words) > 5 and len(further) > 2:
            point = words[4].replace("\\040", " ")
            options = [*words[5].split(","), *(["ro"] if "ro" in further[2].split(",") else [])]
            found[point] = (further[0], sorted(set(options)))
    return found


def mount_of(place: str, mounts: Mapping[str, Tuple[str, List[str]]]) -> Dict[str, Any]:
    """Return the mount that a place, an absolute path, belongs to.

    Args:
        place: the path.
        mounts: see ``parse``.
    """
    path = os.path.realpath(place)
    while path not in mounts and path != "/":
        path = os.path.dirname(path)
    kind, options = mounts.get(path, ("", []))
    return {"point": path, "kind": kind, "options": options}


def _room(place: str) -> Dict[str, Any]:
    told = os.statvfs(place)
    return {"free_mib": told.f_bavail * told.f_frsize >> 20, "inodes": told.f_favail if told.f_files else None}
