"""A fresh installation on a lab host with warm caches: seconds by role, and the chain of roles that it waited for."""

from __future__ import annotations

import shutil
from collections.abc import Mapping, Sequence
from datetime import datetime
from pathlib import Path
from typing import Any

import floor
import memory
from lab_cloud import LAB_NOTES, LabCloud, provided
from record import SCRATCH, Record, show, tell

from installer.plan import Step

#: Folders of a host that hold what it downloaded.
CACHES = ("var/cache/apt/archives", "var/lib/apt/lists", "var/cache/pystack/uv")
NOTES = [
    *LAB_NOTES,
    "Warm caches: the packages, package lists and Python distributions of an earlier installation lie on the host, so"
    " the network is hardly used. uv takes them from its cache by hard links.",
    "Controller and host share the cores; the host's processor seconds are those of its control group.",
]

Moments = dict[str, tuple[float, float]]


def run(name: str, keep: bool, whole: bool) -> None:
    """Measure, show and keep.

    Args:
        name: of the lab host, made if need be; it is reset.
        keep: leave it for the next time.
        whole: the whole cloud, with what it takes at rest and what it takes at least; not the identity service alone.
    """
    with provided(name, keep, whole) as cloud:
        cloud.converge()
        _save(cloud)
        cloud.host.reset()
        _warm(cloud)
        record = Record("install-whole" if whole else "install")
        before = cloud.host_cpu_seconds()
        tell("installing on the fresh host")
        taken = cloud.pystack("install")
        cpu = cloud.host_cpu_seconds() - before
        events = cloud.events()
        steps = cloud.plan()
        more: dict[str, Any] = {}
        if whole:
            more["memory"], more["unchanged"] = memory.at_rest(cloud), floor.unchanged(cloud)
            more["floor"] = floor.of_install(cloud, _warm)
            more["ratio_to_floor"] = phases(events)["install"] / more["floor"]["seconds"]
    moments = step_moments(events)
    path = critical_path(steps, {key: moments[key[1]] for key in ((step.host, step.name) for step in steps)})
    rows = [
        {"role": role, "begin": begin, "seconds": end - begin, "critical": role in [one["role"] for one in path]}
        for role, (begin, end) in sorted(moments.items(), key=lambda item: item[1])
    ]
    show(
        "fresh installation, warm caches",
        ["role", "begins at s", "seconds", "critical path"],
        [[row["role"], row["begin"], row["seconds"], "yes" if row["critical"] else ""] for row in rows],
    )
    tell("critical path: " + " > ".join(f"{one['role']} ({one['seconds']:.1f} s)" for one in path))
    record.write(
        {
            "seconds": taken.seconds,
            "controller_cpu_seconds": taken.cpu_seconds,
            "host_cpu_seconds": cpu,
            "phases": phases(events),
            "roles": rows,
            "critical_path": path,
            "slowest_resources": slowest(events),
            **more,
            "notes": NOTES,
        }
    )


def step_moments(events: Sequence[Mapping[str, Any]]) -> Moments:
    """Return begin and end of every step by its name, in seconds since the phase install."""
    zero = next(_at(event) for event in events if event["event"] == "phase" and event["name"] == "install")
    begun: dict[str, float] = {}
    found: Moments = {}
    for event in events:
        if event["event"] == "step" and event["what"] == "started":
            begun[event["step"]] = _at(event) - zero
        elif event["event"] == "step":
            found[event["step"]] = (begun[event["step"]], _at(event) - zero)
    return found


def critical_path(
    steps: Sequence[Step], moments: Mapping[tuple[str, str], tuple[float, float]]
) -> list[dict[str, Any]]:
    """Return the chain of steps that the end waited for: from the last to end, each time the need that ended last."""
    by_key = {step.key: step for step in steps}
    key = max(by_key, key=lambda one: moments[one][1])
    path = []
    while True:
        begin, end = moments[key]
        path.append({"role": key[1], "begin": begin, "seconds": end - begin})
        needs = [need for need in by_key[key].needs if need in by_key]
        if not needs:
            return path[::-1]
        key = max(needs, key=lambda one: moments[one][1])


def slowest(events: Sequence[Mapping[str, Any]], count: int = 12) -> list[dict[str, Any]]:
    """Return the resources that took longest; those fixed in one go share their seconds."""
    changed = [event for event in events if event["event"] == "resource" and event["what"] == "changed"]
    changed.sort(key=lambda event: -float(event["seconds"]))
    return [
        {"role": event["step"], "resource": event["resource"], "seconds": event["seconds"]} for event in changed[:count]
    ]


def phases(events: Sequence[Mapping[str, Any]]) -> dict[str, float]:
    """Return the seconds of every phase."""
    begins = [(event["name"], _at(event)) for event in events if event["event"] == "phase"]
    ends = [at for _, at in begins[1:]] + [_at(events[-1])]
    return {name: end - begin for (name, begin), end in zip(begins, ends, strict=True)}


def _at(event: Mapping[str, Any]) -> float:
    return datetime.fromisoformat(event["at"]).timestamp()


def _saved() -> Path:
    return SCRATCH / "cache"


def _save(cloud: LabCloud) -> None:
    for cache in CACHES:
        target = _saved() / cache
        shutil.rmtree(target, ignore_errors=True)
        shutil.copytree(cloud.host.root / cache, target, symlinks=True)


def _warm(cloud: LabCloud) -> None:
    for cache in CACHES:
        shutil.copytree(_saved() / cache, cloud.host.root / cache, symlinks=True, dirs_exist_ok=True)
