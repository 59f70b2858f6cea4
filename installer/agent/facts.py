"""Facts about this host that roles and preflight decide by. Changes nothing."""

from __future__ import annotations

import os
import re
import shutil
import socket
import sys
import time
from typing import Any, Dict, List, Mapping

from installer.agent.host import Host
from installer.agent.kvm import kvm
from installer.resources.texts import text_of

#: Interpreters that an OpenStack release may ask for.
INTERPRETERS = ("python3", "python3.11", "python3.12", "python3.13", "python3.14")
#: Where services and packages write.
FILE_SYSTEMS = ("/", "/var", "/opt", "/tmp", "/run")


def facts(host: Host) -> Dict[str, Any]:
    """Return what is known of this host; sizes in MiB, times in seconds since 1970."""
    return {
        "os_release": parse_assignments(text_of("/etc/os-release")),
        "hostname": socket.gethostname(),
        "fqdn": socket.getfqdn(),
        **_network(host),
        "architecture": os.uname().machine,
        "kernel": os.uname().release,
        "cores": len(os.sched_getaffinity(0)),
        "memory_mib": parse_memory_mib(text_of("/proc/meminfo")),
        "file_systems": {path: _file_system(path) for path in FILE_SYSTEMS if os.path.isdir(path)},
        "kernel_openvswitch": _kernel_openvswitch(host),
        "kvm": kvm(),
        "virtualization": host.run(["systemd-detect-virt"], expect=None).out.strip() or "none",
        "systemd": os.path.isdir("/run/systemd/system"),
        "python": _pythons(host),
        "machine_id": text_of("/etc/machine-id").strip(),
        "boot_id": text_of("/proc/sys/kernel/random/boot_id").strip(),
        "uid": os.geteuid(),
        "time": time.time(),
    }


def parse_assignments(text: str) -> Dict[str, str]:
    """Return the assignments of an os-release(5) file, unquoted."""
    found = {}
    for line in text.splitlines():
        key, equals, value = line.partition("=")
        if equals and not line.startswith("#"):
            found[key.strip()] = value.strip().strip("\"'")
    return found


def parse_memory_mib(meminfo: str) -> int:
    """Return MemTotal of /proc/meminfo in MiB."""
    found = re.search(r"^MemTotal:\s+(\d+) kB", meminfo, re.MULTILINE)
    return int(found.group(1)) // 1024 if found else 0


def parse_addresses(text: str) -> List[str]:
    """Return the addresses of ``ip -o addr show scope global``, IPv4 first."""
    found = re.findall(r"\binet6?\s+([0-9a-fA-F.:]+)/", text)
    return sorted(found, key=lambda address: ":" in address)


def parse_interfaces(text: str) -> Dict[str, List[str]]:
    """Return the addresses of ``ip -o addr show scope global`` with their prefix lengths, by interface."""
    found: Dict[str, List[str]] = {}
    for name, address in re.findall(r"^\d+:\s+(\S+?)(?:@\S+)?\s+inet6?\s+(\S+)", text, re.MULTILINE):
        found.setdefault(name, []).append(address)
    return found


def may_load_modules(status: str) -> bool:
    """Tell whether a process, by its /proc/PID/status, has CAP_SYS_MODULE (16: see linux/capability.h)."""
    found = re.search(r"^CapEff:\s+([0-9a-f]+)$", status, re.MULTILINE)
    return bool(found and int(found.group(1), 16) >> 16 & 1)


def _network(host: Host) -> Dict[str, Any]:
    """Return ``addresses`` of this host, and all its ``interfaces`` with theirs."""
    text = host.run(["ip", "-o", "addr", "show", "scope", "global"], expect=None).out
    held = parse_interfaces(text)
    return {
        "addresses": parse_addresses(text),
        "interfaces": {name: held.get(name, []) for name in sorted(os.listdir("/sys/class/net"))},
    }


def _kernel_openvswitch(host: Host) -> bool:
    """Tell whether this kernel has the datapath of Open vSwitch, or can load it. Loads nothing."""
    if os.path.isdir("/sys/module/openvswitch"):
        return True
    loadable = host.run(["modprobe", "--dry-run", "--quiet", "openvswitch"], expect=None).code == 0
    return loadable and may_load_modules(text_of("/proc/self/status"))


def _pythons(host: Host) -> List[Mapping[str, str]]:
    """Return the distribution's interpreters, each once, the one that ``python3`` means first."""
    own = os.path.realpath(sys.executable)
    seen: Dict[str, Mapping[str, str]] = {}
    for name in INTERPRETERS:
        path = os.path.join("/usr/bin", name)
        real = os.path.realpath(path)
        if real in seen or not os.access(path, os.X_OK):
            continue
        if real == own:
            version = sys.version.split()[0]
        else:
            version = host.run([path, "-Ic", "import sys; print(sys.version.split()[0])"], expect=None).out.strip()
        if version:
            seen[real] = {"path": real, "version": version}
    return list(seen.values())


def _file_system(path: str) -> Dict[str, Any]:
    usage = shutil.disk_usage(path)
    return {
        "free_mib": usage.free >> 20,
        "total_mib": usage.total >> 20,
        "read_only": bool(os.statvfs(path).f_flag & os.ST_RDONLY),
        "device": os.stat(path).st_dev,
    }
