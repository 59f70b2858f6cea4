"""For whom wheels are: a Python and an architecture, whichever this machine has. Pure."""

from __future__ import annotations

import functools
from collections.abc import Iterator
from dataclasses import dataclass

from packaging.tags import Tag, compatible_tags, cpython_tags

from installer.wheels.lock import Pin

#: The oldest C library of all supported distributions, glibc 2.34 of EL 9: what is built for it runs on all of them.
GLIBC = 34
#: Older names of manylinux tags, by the minor version of glibc (PEP 600).
_OLDER_NAMES = {17: "manylinux2014", 12: "manylinux2010", 5: "manylinux1"}
#: The lowest and a higher patch level than any: what a lock names for one of them only is brought all the same.
_PATCH_LEVELS = ("0", "99")


@dataclass(frozen=True)
class Target:
    """A kind of host.

    Args:
        python: CPython's version, major and minor, such as ``3.12``.
        machine: the architecture, as ``uname -m`` tells it.
    """

    python: str
    machine: str

    @property
    def title(self) -> str:
        """What it is called in words."""
        return f"Python {self.python} on {self.machine}"

    def wants(self, pin: Pin) -> bool:
        """Tell whether a lock names a distribution for this target."""
        return pin.marker is None or any(pin.marker.evaluate(self._environment(level)) for level in _PATCH_LEVELS)

    def _environment(self, patch_level: str) -> dict[str, str]:
        return {
            "implementation_name": "cpython",
            "implementation_version": f"{self.python}.{patch_level}",
            "os_name": "posix",
            "platform_machine": self.machine,
            "platform_python_implementation": "CPython",
            "platform_release": "",
            "platform_system": "Linux",
            "platform_version": "",
            "python_full_version": f"{self.python}.{patch_level}",
            "python_version": self.python,
            "sys_platform": "linux",
        }


@functools.cache
def ranks(target: Target) -> dict[Tag, int]:
    """Return the tags of wheels that run there, each with its rank; the lowest is the best."""
    version = tuple(int(part) for part in target.python.split("."))
    platforms = list(_platforms(target.machine))
    interpreter = f"cp{version[0]}{version[1]}"
    tags = [
        *cpython_tags(version, platforms=platforms),
        *compatible_tags(version, interpreter=interpreter, platforms=platforms),
    ]
    return {tag: rank for rank, tag in reversed(list(enumerate(tags)))}


def _platforms(machine: str) -> Iterator[str]:
    for minor in range(GLIBC, 4, -1):
        yield f"manylinux_2_{minor}_{machine}"
        if minor in _OLDER_NAMES and (minor == 17 or machine in ("x86_64", "i686")):
            yield f"{_OLDER_NAMES[minor]}_{machine}"
    yield f"linux_{machine}"
