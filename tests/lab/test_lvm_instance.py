"""Instances on logical volumes: one host keeps them, another one runs the instances and attaches them over iSCSI.

Both have a kernel of their own. The controller is a container: it has no use for one.
"""

from __future__ import annotations

import hashlib
import os
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from openstack.connection import Connection

from installer import answers, lab
from installer.lab import LabHost
from installer.platforms import facts, find
from tests.lab.command_line import Operator
from tests.lab.instances import Instance, booted, connected
from tests.lab.sdk import QUIET
from tests.lab.volumes import make_volume

pytestmark = [
    pytest.mark.lab,
    pytest.mark.shows("volumes-lvm", "iscsi", "instances"),
    pytest.mark.long,
    pytest.mark.timeout(2400),
    QUIET,
]

CONTROLLER, COMPUTE, STORAGE = "t-lvm-main", "t-lvm-compute", "t-lvm-storage"
GROUP = "cinder-volumes"
CONTENT = os.urandom(8 << 20)
#: That kernel has no iptables, which leads an instance to its metadata: it gets its keys on a disk.
ON_A_DISK = {"config_drive": True}


@dataclass
class Storage:
    """A cloud whose volumes are logical volumes of another host than the instances'."""

    compute: LabHost
    storage: LabHost
    folder: Path

    def on_storage(self, volume: Any) -> str:
        """Return the path of a volume on the host that keeps it."""
        return f"/dev/{GROUP}/volume-{volume.id}"

    def sessions(self) -> list[str]:
        """Return the targets that the host of the instances is logged in to."""
        told = self.compute.run("iscsiadm -m session").stdout
        return [line.split()[3] for line in told.splitlines()]


@pytest.fixture(scope="module")
def cloud(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Storage]:
    if os.geteuid() != 0:
        pytest.skip("making lab hosts needs root")
    everyone = (CONTROLLER, COMPUTE, STORAGE)
    lab.down([host.name for host in lab.hosts() if host.name in everyone])
    home = tmp_path_factory.mktemp("home")
    try:
        (controller,) = lab.up([CONTROLLER], external=True)
        (compute,) = lab.up([COMPUTE], external=True, kernel="own", memory=2500)
        (storage,) = lab.up([STORAGE], external=True, kernel="own", memory=2200, disks=(6,))
        storage.run(f"vgcreate {GROUP} /dev/ubdb", check=True)
        values = {
            **lab.answers([controller, compute, storage]),
            "CONFIG_COMPUTE_HOSTS": compute.address,
            "CONFIG_STORAGE_HOST": storage.address,
            "CONFIG_CINDER_INSTALL": "y",
            "CONFIG_CINDER_BACKEND": "lvm",
            "CONFIG_HORIZON_INSTALL": "n",
            # Its instances have no disk with their keys.
            "CONFIG_VERIFY_INSTANCES": "n",
            "CONFIG_SSH_KEY": str(controller.private_key),
            "CONFIG_SSL_CERT_DIR": str(home / "ca"),
        }
        if not facts(find(compute.platform), "openvswitch")["userspace_tunnels"]:
            # Nothing needs to go from host to host then.
            values["CONFIG_NETWORK_HOSTS"] = compute.address
        answers.write(home / "cloud.txt", answers.generate((), values))
        operator = Operator(home)
        done = operator.run("install", f"--answer-file={home / 'cloud.txt'}", timeout=2000)
        assert done.code == 0, (done.out + done.err)[-6000:]
        yield Storage(compute, storage, home / ".config/pystack" / controller.address)
    finally:
        lab.down([host.name for host in lab.hosts() if host.name in everyone])


@pytest.fixture(scope="module")
def demo(cloud: Storage) -> Iterator[Connection]:
    with connected(cloud.folder) as connection:
        yield connection


@pytest.fixture(scope="module")
def root(cloud: Storage, demo: Connection) -> Iterator[Any]:
    """A volume made from pystack's own image."""
    image = demo.image.find_image("pystack-test", ignore_missing=False)
    volume = make_volume(demo, cloud.storage, name="root", image_id=image.id)
    yield volume
    demo.block_storage.delete_volume(volume)
    demo.block_storage.wait_for_delete(volume, wait=120)


@pytest.fixture(scope="module")
def instance(cloud: Storage, demo: Connection, root: Any) -> Iterator[Instance]:
    disk = {"uuid": root.id, "source_type": "volume", "destination_type": "volume", "boot_index": 0}
    with booted(demo, cloud.folder, "on-lvm", block_device_mapping=[disk], **ON_A_DISK) as there:
        yield there
    assert cloud.sessions() == []


def test_an_instance_boots_from_a_logical_volume_of_another_host(cloud: Storage, instance: Instance, root: Any) -> None:
    assert cloud.sessions() == [f"iqn.2010-10.org.openstack:volume-{root.id}"]
    seen = instance.run("sha256sum /dev/vda", timeout=300).stdout.split()[0]
    kept = cloud.storage.run(["sha256sum", cloud.on_storage(root)], check=True).stdout.split()[0]
    assert seen == kept


def test_what_an_instance_writes_to_a_volume_is_on_the_storage_host_and_stays_when_it_is_detached(
    cloud: Storage, demo: Connection, instance: Instance
) -> None:
    volume = make_volume(demo, cloud.storage, name="data")
    attached = demo.compute.create_volume_attachment(instance.id, volumeId=volume.id)
    demo.block_storage.wait_for_status(volume, "in-use", failures=["error"], wait=120)
    instance.send(CONTENT, "/tmp/content")
    done = instance.run("dd if=/tmp/content of=/dev/vdb bs=1M conv=fsync && sync", timeout=120)
    assert done.returncode == 0, done.stderr
    demo.compute.delete_volume_attachment(instance.id, attached.id)
    demo.block_storage.wait_for_status(volume, "available", failures=["error"], wait=120)
    read = cloud.storage.run(f"head -c {len(CONTENT)} {cloud.on_storage(volume)} | sha256sum", check=True).stdout
    assert read.split()[0] == hashlib.sha256(CONTENT).hexdigest()
    demo.block_storage.delete_volume(volume)
    demo.block_storage.wait_for_delete(volume, wait=120)


def test_the_instance_goes_on_when_the_storage_host_reboots(
    cloud: Storage, demo: Connection, instance: Instance, root: Any
) -> None:
    cloud.storage.reboot()
    cloud.storage.run(["systemctl", "is-system-running", "--wait"], timeout=600)
    # Past what the instance may have in memory.
    done = instance.run("echo 3 >/proc/sys/vm/drop_caches; sha256sum /dev/vda", timeout=300)
    kept = cloud.storage.run(["sha256sum", cloud.on_storage(root)], check=True).stdout.split()[0]
    assert done.stdout.split()[0] == kept, done.stderr
