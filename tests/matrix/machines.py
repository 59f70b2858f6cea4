"""Results of real machines, from the journals of runs that installed or verified a cloud on them."""

from __future__ import annotations

import re
import subprocess
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from installer import answers, exit_codes, lab
from installer.errors import PystackError
from installer.journal import Run
from installer.outcome import Event
from installer.paths import ROOT
from tests.matrix.declared import BACKENDS, CHECKS, FEATURES, PLATFORMS
from tests.matrix.results import Kind, Result

#: First word of a distribution's own name (PRETTY_NAME of os-release(5)): family.
_FAMILIES = {
    "Debian": "debian",
    "Ubuntu": "ubuntu",
    "Fedora": "fedora",
    "CentOS": "el",
    "Red": "el",
    "Rocky": "el",
    "AlmaLinux": "el",
}
_ENDED = (exit_codes.CONVERGED, exit_codes.NOT_VERIFIED)


@dataclass
class _Seen:
    """What the events of a run tell.

    Args:
        hosts: address to the distribution's own name.
        checks: name of a check of verify to whether all that it looked at was good.
        selinux: states of the hosts.
    """

    hosts: dict[str, str] = field(default_factory=dict)
    checks: dict[str, bool] = field(default_factory=dict)
    selinux: set[str] = field(default_factory=set)

    def take(self, event: Event) -> None:
        """Take an event in."""
        if event["event"] == "finding" and event["title"] == "platform":
            self.hosts[event["host"]] = event["found"]
        elif event["event"] == "finding" and event["title"] == "SELinux":
            self.selinux.add(re.split(r"\W", event["found"])[0])
        elif event["event"] == "verdict" and event["outcome"] != "skipped":
            good = event["outcome"] == "success"
            self.checks[event["check"]] = self.checks.get(event["check"], True) and good


def results_of(run: Run, commit: str, lab_addresses: Iterable[str] = ()) -> list[Result]:
    """Return a result for each feature that a run shows, and each platform of its machines.

    Args:
        run: an ``install`` or a ``verify`` that has ended.
        commit: what was run.
        lab_addresses: hosts that are no machines.

    Raises:
        ValueError: when the run tells nothing of machines, and why.
    """
    if run.verb not in ("install", "verify") or run.exit_code not in _ENDED:
        raise ValueError(f"{run.name} is no install or verify that came to its end: {run.outcome}")
    seen = _Seen()
    for event in run.events():
        seen.take(event)
    if not seen.hosts:
        raise ValueError(f"{run.name} does not tell what its hosts run")
    if own := sorted(set(lab_addresses) & set(seen.hosts)):
        raise ValueError(f"{run.name} was on lab hosts, not on machines: {', '.join(own)}")
    shown = _shown(run, seen)
    figures = _figures(run, seen)
    titles = ", ".join(sorted(set(seen.hosts.values())))
    whole = Result(
        date=run.begin.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ"),
        commit=commit,
        test="",
        shows=(),
        kind=Kind.MACHINE,
        kernel="own",
        origin=f"run {run.name} on {len(seen.hosts)} of {titles}",
    )
    return [
        replace(
            whole,
            platform=platform,
            # One for each feature, so that a later run does not hide what it had no need to look at.
            test=f"pystack: {feature}",
            shows=(feature,),
            passed=good,
            measured=figures if feature == "identity" or (feature == "second-run" and good) else {},
        )
        for platform in sorted({platform_of(title) for title in seen.hosts.values()})
        for feature, good in shown.items()
    ]


def platform_of(title: str) -> str:
    """Return the platform that a distribution's own name tells of, such as ``el-9`` for ``CentOS Stream 9``.

    Raises:
        ValueError: when it is none that pystack supports.
    """
    family = _FAMILIES.get(title.split()[0] if title else "", "")
    number = re.search(r"\d+(\.\d+)?", title)
    version = number.group() if number else ""
    name = f"{family}-{version if family == 'ubuntu' else version.split('.')[0]}"
    if name not in PLATFORMS:
        raise ValueError(f"'{title}' is none of the platforms {', '.join(PLATFORMS)}")
    return name


def _shown(run: Run, seen: _Seen) -> dict[str, bool]:
    shown: dict[str, bool] = {}
    for check, good in seen.checks.items():
        features = list(CHECKS.get(check, ()))
        if check == "denials" and len(seen.selinux) == 1:
            features += [name for name in (f"selinux-{next(iter(seen.selinux))}",) if name in FEATURES]
        elif check == "attached-volume":
            features += [BACKENDS[name] for name in _backends(run) if name in BACKENDS]
            if len(seen.hosts) == 1:
                features.append("whole-cloud")
        for feature in features:
            shown[feature] = shown.get(feature, True) and good
    if run.verb == "install" and run.totals.get("changed") == 0:
        shown["second-run"] = True
    return shown


def _backends(run: Run) -> list[str]:
    """Return where the run's cloud keeps volumes; nothing where its answer file is gone or says something else now."""
    try:
        found = answers.load(Path(run.answer_file))
    except (PystackError, OSError):
        return []
    return list(found["CONFIG_CINDER_BACKEND"]) if found.digest() == run.digest else []


def _figures(run: Run, seen: _Seen) -> Mapping[str, Mapping[str, float]]:
    if run.verb != "install" or run.seconds is None:
        return {}
    changed, unchanged = run.totals.get("changed", 0), run.totals.get("unchanged", 0)
    figures: dict[str, float] = {"resources": changed + unchanged}
    if changed == 0:
        figures["rerun_seconds"] = round(run.seconds, 1)
    elif changed > unchanged:
        figures["fresh_seconds"] = round(run.seconds, 1)
    else:
        return {}
    if not any(one["role"] == "nova" for one in run.totals.get("roles", ())):
        return {"identity": figures}
    return {"several" if len(seen.hosts) > 1 else "whole-cloud": figures}


def older_than_checkout(begin: datetime, root: Path = ROOT) -> bool:
    """Tell whether a run began before the checkout's commit was made, which cannot be what was run then."""
    told: Any = subprocess.run(
        ["git", "-C", str(root), "log", "-1", "--format=%cI"], capture_output=True, text=True, check=True
    ).stdout.strip()
    return begin < datetime.fromisoformat(told)


def lab_addresses() -> list[str]:
    """Return the addresses of this machine's lab hosts."""
    return [address for host in lab.hosts() for address in (host.address, host.external_address) if address]
