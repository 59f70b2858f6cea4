"""Volumes as their owner makes them; one that cannot be made is told of in the words of the services."""

from __future__ import annotations

from typing import Any

from openstack.connection import Connection
from openstack.exceptions import ResourceFailure

from installer.lab import LabHost

#: The units whose words tell why there is no volume.
UNITS = ("openstack-cinder*", "openstack-glance*", "tgt", "target", "iscsid", "haproxy")


def make_volume(owner: Connection, host: LabHost, seconds: float = 300, **values: Any) -> Any:
    """Make a volume of one GiB, wait until it can be used, and return it.

    Args:
        owner: connection of whose volume it is.
        host: makes the volumes, and is asked what its services wrote.
        seconds: that it may take.
        values: what else the volume has, such as ``name`` and ``image_id``.

    Raises:
        AssertionError: it went into error; with the last of what the services wrote since the host started.
    """
    block = owner.block_storage
    volume = block.create_volume(size=1, **values)
    try:
        return block.wait_for_status(volume, "available", failures=["error"], wait=seconds)
    except ResourceFailure as error:
        chosen = [f"--unit={unit}" for unit in UNITS]
        written = host.run(["journalctl", "--boot", "--no-pager", "--lines=400", "--output=short-precise", *chosen])
        raise AssertionError(f"{error}\n{written.stdout}") from error
