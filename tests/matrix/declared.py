"""The features, clouds and platforms that the matrix tells of, from ``declared.yaml``."""

from __future__ import annotations

import difflib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from fnmatch import fnmatch
from pathlib import Path
from typing import Any

import yaml

from installer.platforms import supported

HERE = Path(__file__).resolve().parent


@dataclass(frozen=True)
class Feature:
    """Something that pystack does, and that tests show.

    Args:
        name: as tests and results call it.
        title: as the document calls it.
        needs: ``own kernel``: a host that does not share this machine's; ``no host``; empty: any host.
        absent: why it is not there, by the platforms that have it not; their names may end in ``*``.
        unseen: why the lab cannot show it, by the platforms that may well have it; as ``absent``.
    """

    name: str
    title: str
    needs: str = ""
    absent: Mapping[str, str] = field(default_factory=dict)
    unseen: Mapping[str, str] = field(default_factory=dict)

    def lacking(self, platform: str) -> str:
        """Return why it is not there on a platform; empty where it is."""
        return _told_for(platform, self.absent)

    def gap(self, platform: str) -> str:
        """Return its title, with why the lab cannot show it on a platform, where that is known."""
        why = _told_for(platform, self.unseen)
        return f"{self.title} ({why})" if why else self.title


def _told_for(platform: str, reasons: Mapping[str, str]) -> str:
    return next((why for pattern, why in reasons.items() if fnmatch(platform, pattern)), "")


def _features(entries: dict[str, Any]) -> dict[str, Feature]:
    return {
        name: Feature(name, **(entry if isinstance(entry, dict) else {"title": entry}))
        for name, entry in entries.items()
    }


_DECLARED = yaml.safe_load((HERE / "declared.yaml").read_text(encoding="utf-8"))
#: Feature by name, in the order of the document.
FEATURES = _features(_DECLARED["features"])
#: What was installed where times were measured: name to title.
CLOUDS: dict[str, str] = _DECLARED["clouds"]
#: Features that a check of verify shows.
CHECKS: dict[str, list[str]] = _DECLARED["checks"]
#: Feature of volumes by backend.
BACKENDS: dict[str, str] = _DECLARED["backends"]
#: Every supported platform has a place in the matrix, seen or not.
PLATFORMS: tuple[str, ...] = tuple(platform.name for platform in supported())


def unknown(names: Iterable[str], known: Iterable[str]) -> list[str]:
    """Return a line for each name that is not known, with the nearest one that is."""
    choice = list(known)
    told = []
    for name in names:
        if name not in choice:
            near = difflib.get_close_matches(name, choice, 1)
            told.append(f"'{name}' is not declared{f'; did you mean {near[0]!r}?' if near else ''}")
    return told
