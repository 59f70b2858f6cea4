"""What can be wrong with a host: ``faults.yaml``, which says at its top what each entry has."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from installer.lab import LabHost
from installer.paths import read_yaml
from tests.lab import on_platform

TABLE = Path(__file__).with_suffix(".yaml")


def of(host: LabHost) -> dict[str, dict[str, Any]]:
    """Return what can be wrong with a host, as its package manager has it, by title."""
    package_manager = on_platform.package_manager(host)
    return {title: {**fault, **fault.get(package_manager, {})} for title, fault in read_yaml(TABLE).items()}


def make(host: LabHost, fault: Mapping[str, Any], **words: str) -> None:
    """Make something wrong with a host.

    Args:
        host: the host.
        fault: what.
        words: what stands for words in braces in its commands.
    """
    if "packages" in fault:
        on_platform.add_packages(host, *fault["packages"])
    commands = fault.get("made", "true")
    for word, value in words.items():
        commands = commands.replace(f"{{{word}}}", value)
    host.run(commands, check=True)
