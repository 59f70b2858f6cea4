"""A kernel parameter, now and after the next boot."""

from __future__ import annotations

import dataclasses
import re
import threading
from pathlib import Path
from typing import ClassVar, Dict, Iterable, List, Mapping, NamedTuple, Optional, Sequence, Tuple

from installer.agent.host import Host
from installer.resources.base import Actual, CannotFix, Resource, State
from installer.resources.file import write_atomically

ROOT = Path("/")
FILE = "etc/sysctl.d/90-pystack.conf"
#: Of two files of one name only the one in the folder named first here is read: see sysctl.d(5).
FOLDERS = ("etc/sysctl.d", "run/sysctl.d", "usr/local/lib/sysctl.d", "usr/lib/sysctl.d", "lib/sysctl.d")
HEADER = "# Kept by pystack: what OpenStack needs of the kernel.\n"

_file_lock = threading.Lock()


class Setting(NamedTuple):
    """What a kernel parameter will be set to at boot, and by which file."""

    value: str
    path: str


@dataclasses.dataclass(frozen=True)
class Sysctl(Resource):
    """A kernel parameter that has a value now and gets it at boot. All share one file.

    Args:
        key: as in sysctl.d(5), such as ``net.ipv4.ip_forward``.
        value: its value; several numbers are separated by one blank.
    """

    kind: ClassVar[str] = "sysctl"

    key: str
    value: str

    @property
    def name(self) -> str:
        return self.key

    def expected(self) -> State:
        return {"now": self.value, "at boot": self.value}

    @classmethod
    def query(cls, resources: Sequence[Sysctl], host: Host) -> Dict[str, Actual]:
        at_boot = settings_at_boot()
        states: Dict[str, Actual] = {}
        for resource in resources:
            setting = at_boot.get(proc_path(resource.key))
            states[resource.id] = {
                "now": value_now(resource.key),
                "at boot": setting.value if setting else None,
            }
        return states

    def fix(self, actual: Actual, host: Host) -> None:
        self.fix_all([(self, actual)], host)

    @classmethod
    def fix_all(cls, differing: Sequence[Tuple[Sysctl, Actual]], host: Host) -> None:
        wanted = {item.key: item.value for item, _ in differing}
        for key, value in wanted.items():
            _set_now(key, value)
        _set_at_boot(wanted)
        at_boot = settings_at_boot()
        for key, value in wanted.items():
            setting = at_boot[proc_path(key)]
            if setting.value != value:
                raise CannotFix(
                    f"{setting.path} sets {key} to {setting.value} at boot, after /{FILE} has set it to {value}; "
                    "take the line out of that file"
                )


def proc_path(key: str) -> str:
    """Return where a key is under /proc/sys. A first separator ``/`` means that dots are part of names."""
    first = re.search(r"[./]", key)
    if first and first.group() == "/":
        return key
    return key.translate(str.maketrans("./", "/."))


def value_now(key: str) -> Optional[str]:
    """Return a kernel parameter's value, blanks made single; None if this kernel has none of that name."""
    try:
        return " ".join((ROOT / "proc/sys" / proc_path(key)).read_text().split())
    except (FileNotFoundError, NotADirectoryError):
        return None


def settings_at_boot() -> Dict[str, Setting]:
    """Return what systemd-sysctl will set at boot, by path under /proc/sys."""
    files: Dict[str, Path] = {}
    for folder in FOLDERS:
        for path in (ROOT / folder).glob("*.conf"):
            files.setdefault(path.name, path)
    found: Dict[str, Setting] = {}
    for _, path in sorted(files.items()):
        try:
            lines = path.read_text(errors="replace").splitlines()
        except OSError:
            # As systemd does with a dangling link.
            continue
        for key, value in parse(lines):
            found[proc_path(key)] = Setting(value, f"/{path.relative_to(ROOT)}")
    return found


def parse(lines: Iterable[str]) -> List[Tuple[str, str]]:
    """Return keys and values of a sysctl.d(5) file, in order; a leading ``-`` (errors do not count) is left out."""
    found = []
    for line in lines:
        key, sign, value = line.partition("=")
        if sign and line.strip()[0] not in "#;":
            found.append((key.strip().lstrip("-").strip(), " ".join(value.split())))
    return found


def render(settings: Mapping[str, str]) -> str:
    """Return our file with these settings: the same settings give the same file."""
    return HEADER + "".join(f"{key} = {value}\n" for key, value in sorted(settings.items()))


def _set_now(key: str, value: str) -> None:
    if value_now(key) == value:
        return
    path = ROOT / "proc/sys" / proc_path(key)
    if not path.exists():
        raise CannotFix(
            f"this kernel has no {key}; the module that brings it may not be loaded (net.bridge: br_netfilter)"
        )
    try:
        path.write_text(f"{value}\n")
    except OSError as problem:
        raise CannotFix(
            f"{key} cannot be set to {value}: {problem.strerror}; in a container it can only be set on the machine "
            "that the container runs on"
        ) from None


def _set_at_boot(wanted: Mapping[str, str]) -> None:
    path = ROOT / FILE
    with _file_lock:
        kept = dict(parse(path.read_text().splitlines())) if path.exists() else {}
        path.parent.mkdir(exist_ok=True)
        write_atomically(str(path), render({**kept, **wanted}).encode(), "root", "root", 0o644)
