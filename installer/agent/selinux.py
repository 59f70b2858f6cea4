"""SELinux of this host: what it does now and after the next boot, and whether files are labelled. Changes nothing."""

from __future__ import annotations

import contextlib
import os
import re
import shutil
from typing import Any, Dict, List, Tuple

from installer.agent.host import ENVIRONMENT, CommandFailed, Host
from installer.resources.texts import text_of

#: Parts of a label, by their number.
ROLE, TYPE = 1, 2
#: Mounted where the kernel enforces or observes a policy: see selinux(8).
KERNEL = "/sys/fs/selinux"
CONFIG = "/etc/selinux/config"
#: Folders that pystack writes into, or whose labels decide whether services start. Some are there only after the first
#: installation.
FOLDERS = (
    *("/", "/etc", "/etc/systemd/system", "/opt", "/root", "/usr/bin", "/var/lib", "/var/log"),
    *("/etc/pystack", "/opt/pystack", "/var/lib/pystack", "/var/lib/mysql", "/var/lib/rabbitmq"),
)
#: What sets and shows labels, ports and booleans.
TOOLS = ("restorecon", "semanage", "ausearch")


def selinux(host: Host) -> Dict[str, Any]:
    """Return ``now`` and ``at_boot``: enforcing, permissive, disabled, or absent where the host knows no SELinux;
    ``policy``: its name; ``unlabelled``: folders whose label is not that of the policy; ``missing`` tools.
    """
    config = text_of(CONFIG)
    at_boot, policy = configured(config, text_of("/proc/cmdline"))
    now = mode()
    if now == "absent" and config:
        now = "disabled"
    active = now in ("enforcing", "permissive")
    return {
        "now": now,
        "at_boot": at_boot,
        "policy": policy,
        "unlabelled": unlabelled(host) if active else [],
        "missing": [tool for tool in TOOLS if not shutil.which(tool, path=ENVIRONMENT["PATH"])] if active else [],
    }


def mode(kernel: str = KERNEL) -> str:
    """Return what the kernel does: enforcing, permissive, or absent where it has no policy for this host.

    Where its files are read-only, as in a container, libselinux takes SELinux for disabled, too: the policy is the
    machine's, and not the container's to tell anything.

    Args:
        kernel: where its files are.
    """
    with contextlib.suppress(OSError):
        if os.statvfs(kernel).f_flag & os.ST_RDONLY:
            return "absent"
    told = text_of(os.path.join(kernel, "enforce")).strip()
    return {"1": "enforcing", "0": "permissive"}.get(told, "absent")


def part(context: str, number: int) -> str:
    """Return a part of a label (user, role, type, range: selinux(8)); nothing if it has none."""
    return "".join(context.strip().rstrip("\0").split(":")[number : number + 1])


def configured(config: str, arguments: str) -> Tuple[str, str]:
    """Return what will be after the next boot, and the policy's name.

    Args:
        config: text of /etc/selinux/config; empty where there is none.
        arguments: the kernel's, which are stronger than the file (selinux(8)).
    """
    values = dict(re.findall(r"(?m)^\s*(SELINUX|SELINUXTYPE)\s*=\s*(\w+)", config))
    given = dict(re.findall(r"(?:^|\s)(selinux|enforcing)=([01])(?=\s|$)", arguments))
    state = values.get("SELINUX", "absent").lower()
    if state == "absent":
        return "absent", ""
    if given.get("selinux") == "0":
        state = "disabled"
    elif state != "disabled" and "enforcing" in given:
        state = "enforcing" if given["enforcing"] == "1" else "permissive"
    return state, values.get("SELINUXTYPE", "")


def unlabelled(host: Host) -> List[str]:
    """Return the folders whose label is another than the policy says."""
    try:
        done = host.run(["restorecon", "-n", "-v", *filter(os.path.isdir, FOLDERS)], expect=None, timeout=10)
    except CommandFailed:
        return []
    return re.findall(r"(?m)^Would relabel (\S+) ", done.out)
