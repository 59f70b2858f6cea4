"""Base images of all platforms: of the distribution's own packages where a mirror of it answers, else a stand-in."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from installer.lab import distribution, image
from installer.lab.places import LabRefused, Report
from installer.lab.platforms import LabPlatform
from installer.lab.stand_in import disguise

#: What a lab host is made of, in a word.
DISTRIBUTION, STAND_IN = "distribution", "stand-in"


def provide(platform: LabPlatform, python: bool, report: Report, further: Sequence[str] = ()) -> Path:
    """Return the folder of a platform's base image; makes it when there is none (see ``image.provide``)."""
    if not platform.rpm:
        return image.provide(platform, python, report, further)
    if distribution.answers(platform.name):
        return distribution.provide(platform.name, python, report, further)
    if not python and not disguise.may_lack_python(platform.name):
        raise LabRefused(
            f"no host of {platform.name} is without Python: its dnf is written in it",
            "Ask for one of Fedora or Debian: --platform debian-13.",
        )
    report(f"no mirror of {platform.name} answers: a stand-in for it, Debian underneath and RPM on top")
    return disguise.provide(platform.name, python, report, further)


def made_from(base: Path) -> str:
    """Return what an image, or a disk made of it, holds: ``DISTRIBUTION`` or ``STAND_IN``."""
    return STAND_IN if f"-{STAND_IN}-" in base.name else DISTRIBUTION
