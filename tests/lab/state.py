"""The state of a lab host as plain data, so that two ways of getting there can be compared."""

from __future__ import annotations

import hashlib
import os
import re
import stat
from pathlib import Path

from installer.lab import LabHost

#: What an installation writes, and what it must leave alone.
FOLDERS = ("etc", "opt/pystack", "root", "usr/local", "var/lib/pystack", "var/lib/keystone")
#: What differs between any two hosts or moments: random keys, counters, caches, byte code (its files hold times).
VOLATILE = re.compile(
    r"\.pyc$|/__pycache__(/|$)|~$|-$|^etc/(machine-id|mtab|resolv\.conf|ld\.so\.cache|\.pwd\.lock|subuid|subgid)"
    r"|^etc/(shadow|gshadow|passwd|group)$|^etc/ssl/(private|certs/java|certs/ssl-cert)|^etc/ssh/|^etc/mysql/debian.cnf"
    r"|^etc/keystone/(fernet|credential)-keys/|/\.cache(/|$)|^root/\.(bash_history|cache|ansible|lesshst)|^etc/apparmor.d/cache"
    r"|^etc/rc\d\.d/|^etc/ssl/certs/[0-9a-f]{8}\.\d$|^var/lib/pystack/stamps/.*schema"
)


def files(host: LabHost) -> dict[str, str]:
    """Return every file below the folders that an installation writes: path to mode, owner's name and content."""
    names = _names(host)
    found = {}
    for folder in FOLDERS:
        for path in sorted((host.root / folder).rglob("*")):
            relative = str(path.relative_to(host.root))
            if not VOLATILE.search(relative):
                found[relative] = _describe(path, names)
    for relative in ("etc/passwd", "etc/group"):
        text = (host.root / relative).read_text()
        found[relative] = " ".join(sorted(line.split(":")[0] for line in text.splitlines()))
    for folder in ("etc/keystone/fernet-keys", "etc/keystone/credential-keys"):
        found[folder + "/*"] = str(len(list((host.root / folder).glob("*"))))
    return found


def everything(host: LabHost) -> dict[str, str]:
    """Return every file of the host but those that a running system writes by itself, or whoever asks rpm (-shm)."""
    skip = re.compile(
        r"^(proc|sys|dev|run|tmp|var/(log|tmp|cache|lib/(systemd|dbus|private|sudo/lectured)))(/|$)|\.journal$|/wtmp|/lastlog"
        r"|/rpmdb\.sqlite-shm$"
    )
    names = _names(host)
    found = {}
    for folder, folders, leaves in os.walk(host.root):
        base = Path(folder)
        folders[:] = [name for name in folders if not skip.search(str((base / name).relative_to(host.root)))]
        for name in [*folders, *leaves]:
            relative = str((base / name).relative_to(host.root))
            if not skip.search(relative):
                found[relative] = _describe(base / name, names)
    return found


def differences(before: dict[str, str], after: dict[str, str]) -> list[str]:
    """Return what differs, a line each."""
    return [
        f"{path}: {before.get(path, 'absent')} -> {after.get(path, 'absent')}"
        for path in sorted(set(before) | set(after))
        if before.get(path) != after.get(path)
    ]


def _names(host: LabHost) -> dict[str, dict[int, str]]:
    tables = {}
    for table in ("passwd", "group"):
        lines = (line.split(":") for line in (host.root / "etc" / table).read_text().splitlines())
        tables[table] = {int(fields[2]): fields[0] for fields in lines}
    return tables


def _describe(path: Path, names: dict[str, dict[int, str]]) -> str:
    status = path.lstat()
    owner = names["passwd"].get(status.st_uid, str(status.st_uid))
    group = names["group"].get(status.st_gid, str(status.st_gid))
    words = [f"{stat.filemode(status.st_mode)} {owner}:{group}"]
    if stat.S_ISLNK(status.st_mode):
        words.append(os.readlink(path))
    elif stat.S_ISREG(status.st_mode):
        words.append(hashlib.sha256(path.read_bytes()).hexdigest()[:16])
    return " ".join(words)
