"""Which proxies programs on this host are told of, and what they reach without one. Changes nothing."""

from __future__ import annotations

import glob
import os
import re
import shlex
from typing import Any, Dict, List

from installer.resources.python_index import environment_proxies
from installer.resources.texts import text_of

#: What systemd gives to every service: systemd-system.conf(5), environment.d does not count there.
MANAGER_FILES = ("/usr/lib/systemd/system.conf.d", "/etc/systemd/system.conf.d", "/run/systemd/system.conf.d")
LOGIN_FILES = ("/etc/environment", "/etc/profile.d/*.sh")
SERVICE_FOLDERS = ("/usr/lib/systemd/system/service.d", "/etc/systemd/system/service.d")


def proxy_settings() -> List[Dict[str, Any]]:
    """Return where proxies are set: ``path``, whether for ``services`` or else for logins, whether any ``proxy`` is
    set there, and ``no_proxy``: the names and addresses that are reached without."""
    found = [_entry(path, False, environment_proxies(text_of(path))) for path in _paths(LOGIN_FILES)]
    files = ["/etc/systemd/system.conf", *_paths(tuple(f"{folder}/*.conf" for folder in MANAGER_FILES))]
    found += [_entry(path, True, parse_manager(text_of(path), "DefaultEnvironment")) for path in files]
    drop_ins = _paths(tuple(f"{folder}/*.conf" for folder in SERVICE_FOLDERS))
    found += [_entry(path, True, parse_manager(text_of(path), "Environment")) for path in drop_ins]
    return [entry for entry in found if entry["proxy"] or entry["no_proxy"]]


def parse_manager(text: str, key: str) -> Dict[str, str]:
    """Return the proxy variables of systemd's assignments to a key, such as ``DefaultEnvironment``."""
    found: Dict[str, str] = {}
    for line in re.findall(rf"^\s*{key}\s*=(.*)$", text.replace("\\\n", " "), re.MULTILINE):
        try:
            words = shlex.split(line)
        except ValueError:
            continue
        pairs = (word.partition("=") for word in words)
        found.update((name, value) for name, _, value in pairs if name.lower().endswith("_proxy") and value)
    return found


def _entry(path: str, services: bool, variables: Dict[str, str]) -> Dict[str, Any]:
    lower = {name.lower(): value for name, value in variables.items()}
    direct = [part for part in re.split(r"[,\s]+", lower.pop("no_proxy", "")) if part]
    # A proxy's address may hold a login: it is not told.
    proxies = [name for name in ("http_proxy", "https_proxy", "all_proxy") if name in lower]
    return {"path": path, "services": services, "proxy": proxies, "no_proxy": direct}


def _paths(patterns: Any) -> List[str]:
    return [path for pattern in patterns for path in sorted(glob.glob(pattern)) if os.path.isfile(path)]
