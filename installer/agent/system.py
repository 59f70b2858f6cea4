"""What else of this host services depend on: clock, random numbers, language, rights, kernel. Changes nothing."""

from __future__ import annotations

import glob
import os
import re
from typing import Any, Dict, List, Optional, Sequence, Tuple

from installer.agent.host import Host
from installer.agent.units import TIME, units
from installer.resources.texts import text_of

#: What adjtimex(2) answers while nobody keeps the clock.
TIME_ERROR = 5
#: Where the language of services and logins is set: locale.conf(5), and Debian's own.
LOCALE_FILES = ("/etc/locale.conf", "/etc/default/locale")
#: What changes all services at once: systemd.unit(5), drop-ins of a type.
SERVICE_FILES = ("/usr/lib/systemd/system/service.d", "/etc/systemd/system/service.d", "/run/systemd/system/service.d")
DEFAULT_UMASK = "0022"


def system(host: Host, umask: int) -> Dict[str, Any]:
    """Return what was found.

    ``random``: whether the kernel has random numbers; ``clock``: whether it is ``kept``, and by which ``units``;
    ``locale``: what is ``set``, by path, and which there ``are``; ``umask`` of a ``login`` and of ``services``, octal,
    and the ``path`` that sets the latter; ``kernels`` that are installed.

    Args:
        host: the host.
        umask: what the agent was started with.
    """
    states = units(host)
    services, path = services_umask()
    return {
        "random": has_random(),
        "clock": {"kept": is_clock_kept(), "units": [unit for unit in TIME if is_active(states.get(unit, {}))]},
        "locale": {
            "set": locales(),
            "are": host.run(["locale", "-a"], expect=None).out.split(),
        },
        "umask": {"login": f"{umask:04o}", "services": services, "path": path},
        "kernels": kernels(),
    }


def has_random() -> bool:
    """Tell whether the kernel's generator of random numbers is ready: before, services wait for it."""
    try:
        os.getrandom(1, os.GRND_NONBLOCK)
    except BlockingIOError:
        return False
    return True


def is_clock_kept() -> Optional[bool]:
    """Tell whether the kernel says that somebody keeps its clock right; None: it may not be asked."""
    # Not in every small Python.
    import ctypes

    # struct timex (linux/timex.h) is 208 bytes on 64-bit processors; its first field, 0, asks only.
    told = int(ctypes.CDLL(None, use_errno=True).adjtimex(ctypes.create_string_buffer(1024)))
    return None if told < 0 else told < TIME_ERROR


def is_active(state: Dict[str, str]) -> bool:
    """Tell whether a unit runs, by its state; see ``installer.agent.units.units``."""
    return state.get("active") == "active"


def locales(paths: Sequence[str] = LOCALE_FILES) -> Dict[str, Dict[str, str]]:
    """Return the variables of locale.conf(5) files that set any, by path; one that is a link to another comes once."""
    found: Dict[str, Dict[str, str]] = {}
    for path in dict.fromkeys(map(os.path.realpath, paths)):
        pairs = re.findall(r"^\s*(?:export\s+)?(LANG|LC_[A-Z]+)=(\S*)", text_of(path), re.MULTILINE)
        values = {name: value.strip("\"'") for name, value in pairs if value.strip("\"'")}
        if values:
            found[path] = values
    return found


def services_umask(folders: Sequence[str] = SERVICE_FILES) -> Tuple[str, str]:
    """Return the umask that all services get, octal, unless their own unit says otherwise, and the file it is from."""
    files: Dict[str, str] = {}
    for folder in folders:
        files.update((os.path.basename(path), path) for path in glob.glob(os.path.join(folder, "*.conf")))
    found = (DEFAULT_UMASK, "")
    for _, path in sorted(files.items()):
        for value in re.findall(r"^\s*UMask\s*=\s*([0-7]+)\s*$", text_of(path), re.MULTILINE):
            found = (value.zfill(4), path)
    return found


def kernels(modules: str = "/lib/modules", boot: str = "/boot") -> List[str]:
    """Return the releases of the kernels that are installed, as ``uname -r`` would tell them.

    Args:
        modules: where their modules are.
        boot: where the kernels themselves are.
    """
    images = [path[len(boot) + len("/vmlinuz-") :] for path in glob.glob(f"{boot}/vmlinuz-*")]
    images += [os.path.basename(os.path.dirname(path)) for path in glob.glob(f"{modules}/*/vmlinuz")]
    return sorted(name for name in set(images) if not name.startswith("0-rescue"))
