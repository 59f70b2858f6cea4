"""Who listens on which TCP port of this host. Changes nothing."""

from __future__ import annotations

import contextlib
import os
import re
from typing import Any, Dict, List, Tuple

_LISTEN = "0A"


def listeners(proc: str = "/proc") -> List[Dict[str, Any]]:
    """Return the listening TCP sockets: ``port``, ``program`` (as in /proc/PID/comm) and ``unit``, sorted by port.

    Args:
        proc: where proc(5) is mounted.
    """
    inodes: Dict[str, int] = {}
    for table in ("net/tcp", "net/tcp6"):
        with contextlib.suppress(OSError), open(os.path.join(proc, table), encoding="ascii") as stream:
            inodes.update(parse_listening(stream.read()))
    holders = _holders(proc, set(inodes))
    found: Dict[Tuple[int, str], Dict[str, Any]] = {}
    for inode, port in inodes.items():
        program, unit = holders.get(inode, ("?", ""))
        found[(port, program)] = {"port": port, "program": program, "unit": unit}
    return [found[key] for key in sorted(found)]


def parse_listening(table: str) -> Dict[str, int]:
    """Return inode -> port for the listening sockets of /proc/net/tcp or tcp6 (see proc_net(5))."""
    found = {}
    for line in table.splitlines()[1:]:
        fields = line.split()
        if len(fields) > 9 and fields[3] == _LISTEN:
            found[fields[9]] = int(fields[1].rpartition(":")[2], 16)
    return found


def unit_of(cgroup: str) -> str:
    """Return the systemd service of a /proc/PID/cgroup, or nothing."""
    found = re.findall(r"/([^/\n]+\.service)", cgroup)
    return found[-1] if found else ""


def _holders(proc: str, inodes: "set[str]") -> Dict[str, Tuple[str, str]]:
    holders: Dict[str, Tuple[str, str]] = {}
    for pid in filter(str.isdigit, os.listdir(proc)):
        base = os.path.join(proc, pid)
        with contextlib.suppress(OSError):
            for descriptor in os.scandir(os.path.join(base, "fd")):
                with contextlib.suppress(OSError):
                    target = os.readlink(descriptor.path)
                    inode = target[8:-1] if target.startswith("socket:[") else ""
                    if inode in inodes and inode not in holders:
                        holders[inode] = (
                            _read(os.path.join(base, "comm")).strip(),
                            unit_of(_read(os.path.join(base, "cgroup"))),
                        )
    return holders


def _read(path: str) -> str:
    with open(path, encoding="utf-8", errors="replace") as stream:
        return stream.read()
