"""What SELinux has denied the services of a cloud on this host since they started: read from the audit log."""

from __future__ import annotations

import glob
import os
import re
import time
from typing import Any, Dict, Iterable, List, Mapping, NamedTuple, Optional, Set, Tuple

from installer.agent import selinux, units
from installer.agent.host import CommandFailed, Host
from installer.resources.texts import text_of

#: Units of the services that pystack installs, and of instances, as patterns of systemctl(1).
UNITS = (
    *("openstack-*", "pystack-*", "mariadb.service", "rabbitmq-server.service", "epmd.service", "memcached.service"),
    *("haproxy.service", "ovn-*", "ovs-*", "ovsdb-server.service", "openvswitch*", "libvirtd.service", "virt*.service"),
    *("machine-qemu*.scope", "iscsid.service", "tgt.service", "tgtd.service", "chrony.service", "chronyd.service"),
)
#: Types of programs that anybody may start, and that end again: those of volumes, mounts, kernel modules, networks.
#: They are the cloud's where a process of one of its services started them.
HELPERS = ("lvm_t", "fsadm_t", "mount_t", "kmod_t", "dnsmasq_t", "ifconfig_t")
#: Role of what the system starts, and what `auid` is of a process that nobody's login has started.
SYSTEM, NOBODY = "system_r", "4294967295"
CONTROL_GROUPS = "/sys/fs/cgroup"
#: Seconds for which a denial may be the reason of a failure, and how many are told.
RECENT, SHOWN = 180.0, 5


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


class Logged(NamedTuple):
    """A denial as a log has it.

    Args:
        denial: what was denied.
        by_system: whether the system started who asked, and nobody's login did.
        parent: number of the process that started who asked, if the log says so.
    """

    denial: Denial
    by_system: bool
    parent: Optional[str]


class Services(NamedTuple):
    """The services of the cloud on this host.

    Args:
        since: type to when the last unit whose processes have it was started, in seconds since 1970.
        processes: their numbers.
        failed: units that should run and do not.
    """

    since: Dict[str, float]
    processes: Set[str]
    failed: List[str]


def denials(host: Host) -> Dict[str, Any]:
    """Return ``mode``; ``found``: what was denied since the services started; ``log``: who told; ``running``: whether
    there are services at all; and ``failed``: those whose own denials cannot be told from others'.
    """
    mode = selinux.mode()
    if mode == "absent":
        return {"mode": mode, "found": [], "log": "", "running": True, "failed": []}
    log, text = _log(host)
    services = _services(host)
    found = [item._asdict() for item in of_services(parse(text), services)]
    return {"mode": mode, "found": found, "log": log, "running": bool(services.since), "failed": services.failed}


def recent(host: Host) -> List[str]:
    """Return in words what the system's processes were denied in the last minutes: why a service may have failed."""
    if selinux.mode() == "absent":
        return []
    since = time.time() - RECENT
    told = [
        f"SELinux {'denied' if denial.enforced else 'would have denied'} {denial.program} ({denial.source}) "
        f"{', '.join(denial.permissions)} of {denial.kind} {denial.what} ({denial.target})"
        for denial, by_system, _ in parse(_log(host)[1])
        if denial.time > since and by_system
    ]
    return list(dict.fromkeys(told))[-SHOWN:]


def parse(text: str) -> List[Logged]:
    """Return what an audit log says was denied.

    Args:
        text: lines of auditd's log, or of the kernel's, which does not tell of logins and parents.
    """
    calls = {
        found[1]: dict(re.findall(r"\b(ppid|auid)=(\d+)", found[2]))
        for found in re.finditer(r"type=SYSCALL msg=audit\(([\d.]+:\d+)\)(.*)", text)
    }
    logged = []
    for line in re.findall(r"(?m)^.*avc:\s+denied .*$", text):
        event = re.search(r"audit\((\d+\.\d+):(\d+)\)", line)
        permissions = re.search(r"denied\s+\{ ([^}]*) \}", line)
        fields = dict(re.findall(r'(\w+)=("[^"]*"|[^\s\']+)', line))
        if event and permissions and {"scontext", "tcontext", "tclass"} <= set(fields):
            denial = Denial(
                float(event[1]),
                selinux.part(fields["scontext"], selinux.TYPE),
                selinux.part(fields["tcontext"], selinux.TYPE),
                fields["tclass"],
                tuple(permissions[1].split()),
                (fields.get("comm") or fields.get("exe") or "").strip('"'),
                _what(fields),
                fields.get("permissive") != "1",
            )
            call = calls.get(f"{event[1]}:{event[2]}", {})
            by_system = selinux.part(fields["scontext"], selinux.ROLE) == SYSTEM and call.get("auid", NOBODY) == NOBODY
            logged.append(Logged(denial, by_system, call.get("ppid")))
    return logged


def of_services(found: Iterable[Logged], services: Services) -> List[Denial]:
    """Return what was denied to services since they started; the same once, with all that was asked for."""
    kept: Dict[Tuple[str, ...], Denial] = {}
    for denial, by_system, parent in found:
        if not by_system or not _is_ours(denial, parent, services):
            continue
        key = (denial.source, denial.target, denial.kind, denial.program, str(denial.enforced))
        before = kept.get(key)
        asked = (*before.permissions, *denial.permissions) if before else denial.permissions
        kept[key] = denial._replace(permissions=tuple(sorted(set(asked))))
    return sorted(kept.values())


def _is_ours(denial: Denial, parent: Optional[str], services: Services) -> bool:
    if denial.source in HELPERS:
        return parent in services.processes
    return denial.time >= services.since.get(denial.source, float("inf"))


def _services(host: Host) -> Services:
    properties = "Id,ActiveState,ControlGroup,InactiveExitTimestamp"
    asked = ["systemctl", "show", "--timestamp=unix", f"--property={properties}", "--", *UNITS]
    services = Services({}, set(), [])
    for shown in units.parse_show(host.run(asked, expect=None).out):
        if shown.get("ActiveState") == "failed":
            services.failed.append(shown.get("Id", ""))
        if shown.get("ActiveState") not in ("active", "activating", "reloading") or not shown.get("ControlGroup"):
            continue
        started = float(shown.get("InactiveExitTimestamp", "").lstrip("@") or 0)
        for process, domain in _running_in(shown["ControlGroup"]).items():
            services.processes.add(process)
            services.since[domain] = max(started, services.since.get(domain, started))
    return services


def _running_in(group: str) -> Mapping[str, str]:
    """Return the processes of a unit, each with its type."""
    pattern = os.path.join(glob.escape(CONTROL_GROUPS + group), "**", "cgroup.procs")
    processes = [number for path in glob.iglob(pattern, recursive=True) for number in text_of(path).split()]
    found = {number: selinux.part(text_of(f"/proc/{number}/attr/current"), selinux.TYPE) for number in processes}
    return {number: domain for number, domain in found.items() if domain}


def _log(host: Host) -> Tuple[str, str]:
    """Return where what was denied is told, and the lines of this boot."""
    asked = ["ausearch", "--input-logs", "--raw", "-m", "AVC,USER_AVC", "-ts", "boot"]
    try:
        done = host.run(asked, expect=(0, 1), timeout=60)
        # It says why it cannot read its log, and nothing where there is nothing in it.
        if done.code == 0 or not done.err.strip():
            return "audit log", done.out
    except CommandFailed:
        pass
    kernel = host.run(["journalctl", "--boot", "--quiet", "--no-pager", "--output=cat", "--grep=avc:"], expect=None)
    return "kernel's log", kernel.out


def _what(fields: Mapping[str, str]) -> str:
    for name in ("path", "name", "src", "dest", "capability"):
        if name in fields:
            value = fields[name].strip('"')
            return f"port {value}" if name in ("src", "dest") else value
    return ""
