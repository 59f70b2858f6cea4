"""The plan of a whole cloud on one host of each platform, as text that a person can read.

python -m tests.unit.roles.golden     # writes tests/unit/roles/plans/ anew
"""

from __future__ import annotations

import shlex
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any

from installer import plan
from installer.platforms import Platform, entries, facts, supported
from installer.platforms.tables import NO
from installer.resources.base import Resource, show
from installer.resources.secret import MASK
from installer.roles import all_roles
from tests.unit.roles.test_roles import cloud_of

FOLDER = Path(__file__).with_name("plans")
COMMAND = "python -m tests.unit.roles.golden"
#: What says nothing to a reader, or changes with every lock.
LEFT_OUT = {"sha256", "lock", "definition", "stale", "source", "comment", "other passwords"}
LONGEST = 90


def platforms() -> tuple[Platform, ...]:
    """Return the newest release of each platform that was seen at work; the newest, where none was."""
    by_file = {platform.file: platform for platform in supported()}
    return tuple((by_file | {platform.file: platform for platform in filter(_seen, supported())}).values())


def _seen(platform: Platform) -> bool:
    return any(fact.seen != NO for section in entries(platform).values() for fact in section.values())


def text(platform: Platform) -> str:
    """Return the plan for a platform, step by step."""
    lines = [
        f"# {platform}: what must be true on one host with the whole cloud, volumes on LVM in a file, and Heat.",
        f"# Each step, and after which others it comes. Made by `{COMMAND}`.",
    ]
    for step in plan.build(_cloud(platform), all_roles()):
        needs = ", ".join(sorted(name for _, name in step.needs))
        lines += ["", f"{step.name}{f'  (after {needs})' if needs else ''}"]
        lines += [f"  {line}" for line in map(_line, step.resources)]
    return "\n".join(lines) + "\n"


def _cloud(platform: Platform) -> Any:
    # EL and Fedora are shipped with SELinux enforcing; firewalls are there as the platform's file says.
    selinux = "enforcing" if platform.package_manager == "dnf" else "absent"
    zones = {"public": {"interfaces": [], "sources": []}}
    firewall = {"manager": facts(platform, "firewall").get("tool", ""), "default_zone": "public", "zones": zones}
    return cloud_of(
        platform=platform.name,
        facts={
            "architecture": "x86_64",
            "selinux": {"now": selinux},
            "firewall": firewall,
            "kvm": {"works": True},
            "kernel_openvswitch": True,
            "interfaces": {"eth0": ["192.0.2.10/24"]},
        },
        CONFIG_CINDER_BACKEND="lvm",
        CONFIG_CINDER_VOLUMES_CREATE="y",
    )


def _line(item: Resource) -> str:
    essence = ", ".join(_essence(item))
    return f"{item.kind} {item.name}" + (f": {essence}" if essence else "")


def _essence(item: Resource) -> Iterator[str]:
    expected = item.expected()
    if expected is None:
        yield "absent"
    elif item.kind in BY_KIND:
        yield from BY_KIND[item.kind](item, expected)
    else:
        yield from (f"{key} {show(value)}" for key, value in expected.items() if _tells(key, value))


def _tells(key: str, value: Any) -> bool:
    shown = show(value)
    return key not in LEFT_OUT and MASK not in shown and len(shown) <= LONGEST and "\n" not in shown


def _account(item: Any, expected: Mapping[str, Any]) -> Iterator[str]:
    number = getattr(item, "preferred_uid", None) or getattr(item, "preferred_gid", None)
    yield f"number {number}" if number else "any number"
    if expected.get("groups"):
        yield f"also in {', '.join(expected['groups'])}"


def _command(item: Any, _expected: Mapping[str, Any]) -> Iterator[str]:
    line = shlex.join(item.argv)
    yield line if len(line) <= LONGEST and "\n" not in line else line.replace("\n", " ")[:LONGEST] + "..."


def _unit(_item: Any, expected: Mapping[str, Any]) -> Iterator[str]:
    on = {"enabled": expected.get("enabled"), "running": expected.get("active")}
    yield " and ".join(word if state == "yes" else f"not {word}" for word, state in on.items() if state)


#: The essential of resources for which it is not what they compare.
BY_KIND: Mapping[str, Callable[[Any, Mapping[str, Any]], Iterator[str]]] = {
    "group": _account,
    "user": _account,
    "package": lambda item, expected: iter(()),
    "file": lambda item, expected: iter((f"{item.owner}:{item.group} {expected['mode']}",)),
    "directory": lambda item, expected: iter((f"{item.owner}:{item.group} {expected['mode']}",)),
    "symlink": lambda item, expected: iter((f"to {expected['target']}",)),
    "unit": _unit,
    "command": _command,
    "virtual-environment": lambda item, expected: iter((f"made by {item.python}",)),
    "distribution-module": lambda item, expected: iter((f"from {item.folder}",)),
    "package-files": lambda item, expected: iter((f"{item.folder} of the package {item.package}",)),
    "test-image": lambda item, expected: iter((f"kernel of {item.kernel}", *item.packages)),
}


def main() -> None:
    """Write all plans."""
    FOLDER.mkdir(exist_ok=True)
    for path in FOLDER.glob("*.txt"):
        path.unlink()
    for platform in platforms():
        (FOLDER / f"{platform.file}.txt").write_text(text(platform))


if __name__ == "__main__":
    main()
