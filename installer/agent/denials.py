"""What SELinux has denied the services of a cloud on this host since they started: read from the audit log."""

from __future__ import annotations

import glob
import os
import re
import time
from typing import Any, Dict, Iterable, Iterator, List, Mapping, NamedTuple, Optional, Tuple

from installer.agent import selinux
from installer.agent.host import CommandFailed, Host
from installer.resources.texts import text_of

#: Units of the services that pystack installs, as patterns of systemctl(1).
UNITS = (
    *("openstack-*", "pystack-*", "mariadb.service", "rabbitmq-server.service", "epmd.service", "memcached.service"),
    *("haproxy.service", "ovn-*", "ovs-*", "ovsdb-server.service", "openvswitch*", "libvirtd.service", "virt*.service"),
    *("iscsid.service", "tgt.service", "tgtd.service", "chrony.service", "chronyd.service"),
)
#: Domains of programs that these services start and that end again: volumes, mounts, kernel modules, instances.
HELPERS = ("lvm_t", "fsadm_t", "mount_t", "kmod_t", "svirt_t", "svirt_tcg_t", "dnsmasq_t", "ifconfig_t")
#: What `auid` is of a process that nobody's login has started.
NOBODY = "4294967295"
#: Seconds for which a denial may be the reason of a failure, and how many are told.
RECENT, SHOWN = 180.0, 5
CONTROL_GROUPS = "/sys/fs/cgroup"

#: Type to when its first unit was started, in seconds since 1970.
Domains = Dict[str, float]


class Denial(NamedTuple):
    """An access that the policy does not allow.

    Args:
        time: seconds since 1970.
        source: type of who asked.
        target: type of what was asked for.
        kind: class of what was asked for, such as ``file``.
        permissions: what was asked for.
        program: the program's own name, at most 15 characters.
        what: path, name or port.
        enforced: whether it was refused; else the host only observes.
    """

    time: float
    source: str
    target: str
    kind: str
    permissions: Tuple[str, ...]
    program: str
    what: str
    enforced: bool


def denials(host: Host) -> Dict[str, Any]:
    """Return ``mode``; ``found``: what was denied since the services started; and ``log``: who told."""
    mode = selinux.mode()
    if mode == "absent":
        return {"mode": mode, "found": [], "log": ""}
    log, text = _log(host)
    ours = domains(host)
    return {"mode": mode, "found": [item._asdict() for item in of_services(parse(text), ours)], "log": log}


def recent(host: Host) -> List[str]:
    """Return in words what was denied to services in the last minutes, the newest last: why one may have failed."""
    if selinux.mode() == "absent":
        return []
    since = time.time() - RECENT
    told = [
        f"SELinux {'denied' if denial.enforced else 'would have denied'} {denial.program} ({denial.source}) "
        f"{', '.join(denial.permissions)} of {denial.kind} {denial.what} ({denial.target})"
        for denial, login in parse(_log(host)[1])
        if denial.time > since and login in (None, NOBODY)
    ]
    return list(dict.fromkeys(told))[-SHOWN:]


def parse(text: str) -> List[Tuple[Denial, Optional[str]]]:
    """Return what an audit log says was denied, each with the login (auid) that it belongs to, if the log says so.

    Args:
        text: lines of auditd's log, or of the kernel's, which lacks the login.
    """
    logins = dict(re.findall(r"type=SYSCALL msg=audit\(([\d.]+:\d+)\).*?\bauid=(\d+)", text))
    found = []
    for line in re.findall(r"(?m)^.*avc:\s+denied .*$", text):
        event = re.search(r"audit\((\d+\.\d+):(\d+)\)", line)
        permissions = re.search(r"denied\s+\{ ([^}]*) \}", line)
        fields = dict(re.findall(r'(\w+)=("[^"]*"|\S+)', line))
        if event and permissions and {"scontext", "tcontext", "tclass"} <= set(fields):
            denial = Denial(
                float(event[1]),
                _type(fields["scontext"]),
                _type(fields["tcontext"]),
                fields["tclass"],
                tuple(permissions[1].split()),
                fields.get("comm", "").strip('"'),
                _what(fields),
                fields.get("permissive") != "1",
            )
            found.append((denial, logins.get(f"{event[1]}:{event[2]}")))
    return found


def of_services(found: Iterable[Tuple[Denial, Optional[str]]], ours: Mapping[str, float]) -> List[Denial]:
    """Return what was denied to services since they started, and not to anybody's login; the same once, with all that
    was asked for.

    Args:
        found: as ``parse`` returns it.
        ours: since when each type is a service's.
    """
    kept: Dict[Tuple[str, ...], Denial] = {}
    for denial, login in found:
        if denial.time < ours.get(denial.source, float("inf")) or login not in (None, NOBODY):
            continue
        key = (denial.source, denial.target, denial.kind, denial.program, str(denial.enforced))
        before = kept.get(key)
        asked = (*before.permissions, *denial.permissions) if before else denial.permissions
        kept[key] = denial._replace(permissions=tuple(sorted(set(asked))))
    return sorted(kept.values())


def domains(host: Host) -> Domains:
    """Return the types in which services of the cloud run, and those of their helpers."""
    properties = "ActiveState,ControlGroup,InactiveExitTimestamp"
    asked = ["systemctl", "show", "--timestamp=unix", f"--property={properties}", "--", *UNITS]
    found: Domains = {}
    for block in host.run(asked, expect=None).out.split("\n\n"):
        shown = dict(line.split("=", 1) for line in block.splitlines() if "=" in line)
        if shown.get("ActiveState") not in ("active", "activating", "reloading") or not shown.get("ControlGroup"):
            continue
        started = float(shown.get("InactiveExitTimestamp", "").lstrip("@") or 0)
        for domain in set(_running_in(shown["ControlGroup"])):
            found[domain] = min(started, found.get(domain, started))
    if found:
        found.update((helper, min(found.values())) for helper in HELPERS if helper not in found)
    return found


def _running_in(group: str) -> Iterator[str]:
    """Yield the type of each process of a unit."""
    folder = CONTROL_GROUPS + group
    for path in glob.iglob(os.path.join(glob.escape(folder), "**", "cgroup.procs"), recursive=True):
        for process in text_of(path).split():
            domain = _type(text_of(f"/proc/{process}/attr/current"))
            if domain:
                yield domain


def _log(host: Host) -> Tuple[str, str]:
    """Return where what was denied is told, and the lines."""
    try:
        # What is newer than the last boot: services have not run for longer.
        done = host.run(["ausearch", "--input-logs", "--raw", "-m", "AVC", "-ts", "boot"], expect=(0, 1), timeout=60)
        if done.code == 0 or "no matches" in done.err:
            return "audit log", done.out
    except CommandFailed:
        pass
    kernel = host.run(["journalctl", "--boot", "--quiet", "--no-pager", "--output=cat", "--grep=avc:"], expect=None)
    return "kernel's log", kernel.out


def _type(context: str) -> str:
    return "".join(context.strip().rstrip("\0").split(":")[2:3])


def _what(fields: Mapping[str, str]) -> str:
    for name in ("path", "name", "src", "dest", "capability"):
        if name in fields:
            value = fields[name]
            return value.strip('"') if value.startswith('"') else f"port {value}" if name in ("src", "dest") else value
    return ""
