"""Volumes attached to a host as Nova attaches them, through Cinder's attachments, without Nova."""

from __future__ import annotations

import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from openstack.connection import Connection

from installer.lab import LabHost

#: From this version on there are attachments (Cinder's API reference).
VERSION = "3.27"


@contextmanager
def attached(admin: Connection, volume: Any, host: LabHost) -> Iterator[str]:
    """Log a host in to a volume's target with the password that Cinder gives it, and yield the disk's path on the host.

    Args:
        admin: connection of who may attach it.
        volume: available.
        host: has open-iscsi.
    """
    initiator = host.run("sed -n s/^InitiatorName=//p /etc/iscsi/initiatorname.iscsi", check=True).stdout.strip()
    connector = {
        "initiator": initiator,
        "ip": host.address,
        "host": host.name,
        "platform": "x86_64",
        "os_type": "linux",
        "multipath": False,
    }
    asked = {"volume_uuid": volume.id, "instance_uuid": str(uuid.uuid4()), "connector": connector}
    block = admin.block_storage
    answer = block.post("/attachments", json={"attachment": asked}, microversion=VERSION)
    assert answer.status_code < 400, answer.text
    made = answer.json()["attachment"]
    target = made["connection_info"]
    try:
        yield from _logged_in(host, target)
    finally:
        block.delete(f"/attachments/{made['id']}", microversion=VERSION)
        block.wait_for_status(volume, "available", failures=["error"], wait=120)


def _logged_in(host: LabHost, target: dict[str, Any]) -> Iterator[str]:
    portal, name, lun = target["target_portal"], target["target_iqn"], target["target_lun"]
    assert target["auth_method"] == "CHAP"
    node = f"iscsiadm -m node -T {name} -p {portal}"
    host.run(f"{node} --op new", check=True)
    try:
        refused = host.run(f"{node} --login")
        assert refused.returncode != 0, "it lets in who has no password"
        settings = {
            "node.session.auth.authmethod": "CHAP",
            "node.session.auth.username": target["auth_username"],
            "node.session.auth.password": target["auth_password"],
        }
        for key, value in settings.items():
            host.run(f"{node} --op update -n {key} -v {value}", check=True)
        host.run(f"{node} --login", check=True)
        path = f"/dev/disk/by-path/ip-{portal}-iscsi-{name}-lun-{lun}"
        host.run(
            f"for i in $(seq 100); do test -e {path} && exit; sleep .2; done; ls /dev/disk/by-path; exit 1", check=True
        )
        yield path
    finally:
        host.run(f"{node} --logout; {node} --op delete")
