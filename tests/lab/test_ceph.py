"""Volumes on a real Ceph cluster, small enough for a lab host: Cinder's own driver makes them, QEMU opens them with the
key that libvirt keeps."""

from __future__ import annotations

import json
import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from installer import lab
from installer.agent.connections import connect as reach
from installer.engine.session import AgentSession
from installer.lab import LabHost
from installer.resources import load_all
from installer.resources.account import Group, User
from installer.resources.base import Resource
from installer.resources.file import Directory
from installer.resources.libvirt_secret import LibvirtSecret
from installer.resources.package import Package
from installer.resources.secret import Secret
from installer.transport.connect import connect
from installer.transport.login import Login
from roles.cinder import backends, configuration
from roles.libvirt import role as libvirt
from roles.openstack import role as openstack
from tests.lab.test_resources_system import Driven
from tests.unit.roles.test_roles import cloud_of

pytestmark = [pytest.mark.lab, pytest.mark.shows("volumes-ceph"), pytest.mark.long, pytest.mark.timeout(1800)]

HERE = Path(__file__).resolve().parent
NAME = "t-ceph"
#: An instance without a system, whose one disk is a volume.
DOMAIN = """\
<domain type='qemu'>
  <name>t-ceph</name>
  <memory unit='MiB'>64</memory>
  <os><type arch='x86_64' machine='q35'>hvm</type></os>
  <devices>
    <disk type='network' device='disk'>
      <driver name='qemu' type='raw'/>
      <source protocol='rbd' name='{name}'>{hosts}</source>
      <auth username='{auth_username}'><secret type='ceph' uuid='{secret_uuid}'/></auth>
      <target dev='vda' bus='virtio'/>
    </disk>
  </devices>
</domain>
"""


class Storage(Driven):
    """A lab host that is storage host, compute host, and the whole Ceph cluster."""

    def __init__(self, host: LabHost) -> None:
        super().__init__(host)
        told = host.run(["bash", "-s", "--", host.address], stdin=(HERE / "ceph_cluster.sh").read_text())
        assert told.returncode == 0, told.stderr[-3000:]
        self.key = told.stdout.strip()
        self.cloud = cloud_of(
            (host.address,),
            host.platform,
            facts={"addresses": [host.address]},
            CONFIG_CINDER_BACKEND="ceph",
            CONFIG_CEPH_MONITORS=host.address,
            CONFIG_CINDER_CEPH_KEY=self.key,
        )

    def session(self) -> AgentSession:
        if self._session is None:
            login = Login("root", private_key=(self.host.private_key,), known_hosts=(self.host.known_hosts,))
            self._session = AgentSession(
                connect(self.host.address, login), self.events.append, openstack.blobs(self.cloud)
            )
        return self._session

    def resources(self) -> list[Resource]:
        """Return what the roles want of Ceph's clients on this host, and the environment that it is for, in the order
        of a plan: accounts and packages come first."""
        host = self.cloud.hosts[0]
        wanted = [
            Directory("/etc/pystack"),
            *openstack.ROLE.resources(self.cloud, host),
            *libvirt.ROLE.resources(self.cloud, host),
            *configuration.resources(self.cloud, host),
            *backends.needed(self.cloud, host),
            *backends.at_compute(self.cloud, host),
        ]
        first = (Group, User, Package)
        return sorted(wanted, key=lambda item: first.index(type(item)) if isinstance(item, first) else len(first))


@pytest.fixture(scope="module")
def storage() -> Iterator[Storage]:
    if os.geteuid() != 0:
        pytest.skip("making lab hosts needs root")
    load_all()
    lab.down([host.name for host in lab.hosts() if host.name == NAME])
    (host,) = lab.up([NAME])
    driven = Storage(host)
    before = driven.sh("sha256sum /etc/ceph/*")
    driven.converge(*driven.resources())
    assert driven.sh("sha256sum /etc/ceph/*") == before, "what is the cluster's was changed"
    yield driven
    driven.session().close()
    lab.down([NAME])


@pytest.fixture(scope="module")
def used(storage: Storage) -> Any:
    """What Cinder's driver said after it had used the cluster."""
    python = f"{openstack.home(storage.cloud)}/bin/python"
    command = f"set -a; . /etc/pystack/env; setpriv --reuid=cinder --regid=cinder --init-groups {python} -W ignore -"
    done = storage.host.run(f"bash -c '{command}'", stdin=(HERE / "use_rbd.py").read_text())
    assert done.returncode == 0, done.stderr[-3000:]
    return json.loads(done.stdout.splitlines()[-1])


def test_cinders_own_driver_makes_clones_grows_and_deletes_volumes(storage: Storage, used: Any) -> None:
    assert used["sizes"] == {"volume-1": 1, "volume-2": 2, "volume-3": 3}
    assert storage.sh("rbd ls volumes").split() == ["volume-1", "volume-2"]


def test_qemu_opens_a_volume_with_the_key_that_libvirt_has(storage: Storage, used: Any) -> None:
    told = used["told"]
    pairs = zip(told["hosts"], told["ports"], strict=True)
    hosts = "".join(f"<host name='{host}' port='{port}'/>" for host, port in pairs)
    domain = DOMAIN.format(**{**told, "hosts": hosts})
    made = storage.host.run("virsh create /dev/stdin", stdin=domain)
    assert made.returncode == 0, made.stderr
    try:
        assert "Capacity:       1073741824" in storage.sh("virsh domblkinfo t-ceph vda")
        assert storage.key not in storage.sh("virsh dumpxml t-ceph; cat /proc/[0-9]*/cmdline | tr '\\0' ' '")
    finally:
        storage.host.run("virsh destroy t-ceph", check=True)


def test_a_key_that_has_changed_is_set_anew_and_one_of_somebody_else_stays(storage: Storage) -> None:
    (mine,) = [item for item in storage.resources() if isinstance(item, LibvirtSecret)]
    other = LibvirtSecret(mine.uuid, mine.title, Secret("b3RoZXI="))
    assert storage.converge(other) == [other.id]
    assert storage.sh(f"virsh --quiet secret-get-value {mine.uuid}") == "b3RoZXI="
    assert storage.converge(mine) == [mine.id]
    failure = storage.failure(LibvirtSecret(mine.uuid, "somebody else", Secret("b3RoZXI=")))
    assert "CONFIG_CINDER_CEPH_SECRET_UUID" in json.dumps(failure)
    assert storage.sh(f"virsh --quiet secret-get-value {mine.uuid}") == storage.key


def test_the_monitor_answers_where_preflight_asks(storage: Storage) -> None:
    found = reach([[storage.host.address, port] for port in (3300, 6789, 1)])
    assert [bool(entry["problem"]) for entry in found] == [False, False, True]
