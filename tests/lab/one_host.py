"""One throw-away host of a test's own."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest

from installer import lab
from installer.lab import LabHost, PlatformNotPossible


@contextmanager
def one_host(name: str, platform: str, **wishes: Any) -> Iterator[LabHost]:
    """Make a host, yield it and remove it; one of its name that is left of an earlier run is removed before.

    A test is skipped, with the reason, where this machine cannot make it.

    Args:
        name: of the host.
        platform: what it runs, such as ``el-9``.
        wishes: what else ``lab.up`` is told.
    """
    if os.geteuid() != 0:
        pytest.skip("making lab hosts needs root")
    lab.down([host.name for host in lab.hosts() if host.name == name])
    try:
        (host,) = lab.up([name], platform, **wishes)
    except PlatformNotPossible as refused:
        pytest.skip(str(refused))
    try:
        yield host
    finally:
        lab.down([name])
