"""A volume group that somebody has something in, on hosts with a kernel of their own: it is used and never changed."""

from __future__ import annotations

import hashlib
import os
import signal
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
from openstack.connection import Connection

from installer import answers, lab
from installer.lab import LabHost
from tests.lab import iscsi
from tests.lab.command_line import Operator, Result
from tests.lab.identity_only import IDENTITY_ONLY
from tests.lab.instances import connected
from tests.lab.sdk import QUIET

pytestmark = [
    pytest.mark.lab,
    pytest.mark.shows("volumes-lvm", "volume-groups-untouched"),
    pytest.mark.long,
    pytest.mark.timeout(3600),
    QUIET,
]

STORAGE, OTHER = "t-storage", "t-initiator"
GROUP, HOME = "site", "/dev/site/home"
#: The disks of the storage host: the group's, an empty one, and one with a file system.
SITE, EMPTY, USED = "/dev/ubdb", "/dev/ubdc", "/dev/ubdd"
MIB = 1 << 20
CONTENT = os.urandom(2 * MIB)


@dataclass
class Storage:
    """A storage host with the identity, image and volume services, and another host that attaches its volumes."""

    host: LabHost
    other: LabHost
    operator: Operator
    answer_file: Path
    kept: str = field(default="")

    @property
    def folder(self) -> Path:
        return self.operator.home / ".config/pystack" / self.host.address

    def install(self, *words: str) -> Result:
        return self.operator.run("install", f"--answer-file={self.answer_file}", *words, timeout=2400)

    def answer(self, **values: str) -> None:
        """Change lines of the answer file."""
        lines = self.answer_file.read_text().splitlines()
        for name, value in values.items():
            (number,) = (number for number, line in enumerate(lines) if line.startswith(f"{name}="))
            lines[number] = f"{name}={value}"
        self.answer_file.write_text("\n".join(lines) + "\n")

    def reboot(self) -> None:
        """Reboot the storage host, and wait until the cloud answers again."""
        self.host.reboot()
        self.host.run(["systemctl", "is-system-running", "--wait"], timeout=600)
        done = self.operator.run(
            "verify", f"--answer-file={self.answer_file}", "--only", "endpoints", "--only", "volume"
        )
        assert done.code == 0, done.out + done.err

    def site(self) -> str:
        """Return all that identifies the group and what its owner has in it, contents included."""
        return self.host.run(
            f"vgs --noheadings -o vg_name,vg_uuid,vg_size,vg_tags,vg_attr {GROUP};"
            f"pvs --noheadings -o pv_name,pv_uuid,pv_size --select vg_name={GROUP};"
            f"lvs --noheadings -o lv_name,lv_uuid,lv_size,lv_attr {GROUP}/home; sha256sum {HOME} {USED}",
            check=True,
        ).stdout


@pytest.fixture(scope="module")
def storage(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Storage]:
    if os.geteuid() != 0:
        pytest.skip("making lab hosts needs root")
    lab.down([host.name for host in lab.hosts() if host.name in (STORAGE, OTHER)])
    (host,) = lab.up([STORAGE], kernel="own", disks=(8, 4, 1), memory=3500)
    (other,) = lab.up([OTHER], kernel="own", memory=600)
    home = tmp_path_factory.mktemp("home")
    host.run(f"vgcreate {GROUP} {SITE} && lvcreate -y -L 100M -n home {GROUP} && mkfs.ext4 -q {HOME}", check=True)
    host.run(f"mount {HOME} /mnt && head -c 30M /dev/urandom >/mnt/mine && umount /mnt", check=True)
    host.run(f"mkfs.ext4 -q {USED}", check=True)
    other.run("apt-get -qq update && apt-get -qq -y --no-install-recommends install open-iscsi lvm2", check=True)
    values = {
        **lab.answers([host]),
        **IDENTITY_ONLY,
        "CONFIG_GLANCE_INSTALL": "y",
        "CONFIG_CINDER_INSTALL": "y",
        "CONFIG_CINDER_BACKEND": "lvm",
        "CONFIG_SSH_KEY": str(host.private_key),
        "CONFIG_SSL_CERT_DIR": str(home / "ca"),
    }
    answers.write(home / "cloud.txt", answers.generate((), values))
    made = Storage(host, other, Operator(home), home / "cloud.txt")
    made.kept = made.site()
    yield made
    lab.down([STORAGE, OTHER])


@pytest.fixture
def admin(storage: Storage) -> Iterator[Connection]:
    with connected(storage.folder, "pystack") as connection:
        yield connection


@contextmanager
def volume(admin: Connection, **values: Any) -> Iterator[Any]:
    """Yield a volume that can be used, and remove it and its snapshots in the end."""
    made = admin.block_storage.create_volume(**{"size": 1, **values})
    try:
        yield admin.block_storage.wait_for_status(made, "available", failures=["error"], wait=300)
    finally:
        admin.block_storage.delete_volume(made, ignore_missing=True, cascade=True)
        admin.block_storage.wait_for_delete(made, wait=120)


def test_a_group_of_another_name_is_not_guessed(storage: Storage) -> None:
    done = storage.install()
    assert done.code == 3, done.out + done.err
    assert "no volume group cinder-volumes; there are site" in " ".join((done.out + done.err).split())
    assert storage.site() == storage.kept


def test_a_disk_that_holds_something_is_refused_by_what_it_holds(storage: Storage) -> None:
    for device, found in ((USED, "it holds ext4"), (SITE, "it holds LVM2_member; lvm site-home (ext4) is on it")):
        storage.answer(CONFIG_CINDER_VOLUMES_DEVICES=device)
        done = storage.install()
        assert done.code == 3, done.out + done.err
        assert f"cinder-volumes cannot be made on {device}: {found}" in " ".join((done.out + done.err).split())
    storage.answer(CONFIG_CINDER_VOLUMES_DEVICES="")
    assert storage.site() == storage.kept


@pytest.mark.shows("resume")
def test_an_installation_that_is_cut_off_leaves_the_group_as_it_is(storage: Storage) -> None:
    storage.answer(CONFIG_CINDER_VOLUME_NAME=GROUP)
    run = storage.operator.start("install", f"--answer-file={storage.answer_file}")
    deadline = time.monotonic() + 900
    # In the middle of the packages, of which LVM is one that has scripts of its own.
    while storage.host.run("pgrep -x dpkg").returncode:
        assert run.poll() is None
        assert time.monotonic() < deadline
        time.sleep(1)
    run.send_signal(signal.SIGKILL)
    run.wait()
    storage.host.run("pkill -KILL -f 'python3.*agent'; pkill -KILL apt-get; pkill -KILL dpkg")
    assert storage.site() == storage.kept


@pytest.mark.shows("resume")
def test_the_same_command_carries_on_and_uses_the_group_as_it_is(storage: Storage) -> None:
    done = storage.install()
    assert done.code == 0, (done.out + done.err)[-6000:]
    uuid = storage.kept.split()[1]
    assert f"volume group {GROUP} ({uuid}) is as it was" in " ".join(done.out.split())
    assert storage.site() == storage.kept


@pytest.mark.shows("second-run")
def test_a_second_run_changes_nothing(storage: Storage) -> None:
    done = storage.install("--json")
    assert done.code == 0, done.out[-3000:]
    assert done.event("summary")["changed"] == 0
    assert storage.site() == storage.kept


def test_a_volume_is_a_logical_volume_of_the_group_and_has_snapshots_and_grows(
    storage: Storage, admin: Connection
) -> None:
    with volume(admin, name="one") as one:
        assert sizes(storage.host)[f"volume-{one.id}"] == 1024
        snapshot = admin.block_storage.create_snapshot(volume_id=one.id, force=True)
        admin.block_storage.wait_for_status(snapshot, "available", failures=["error"], wait=120)
        assert f"_snapshot-{snapshot.id}" in sizes(storage.host)
        admin.block_storage.delete_snapshot(snapshot)
        admin.block_storage.wait_for_delete(snapshot, wait=120)
        admin.block_storage.extend_volume(one, 2)
        deadline = time.monotonic() + 120
        while (now := admin.block_storage.get_volume(one)).size != 2 or now.status != "available":
            assert now.status != "error_extending"
            assert time.monotonic() < deadline
            time.sleep(1)
        assert sizes(storage.host)[f"volume-{one.id}"] == 2048
    assert storage.site() == storage.kept


@pytest.mark.shows("iscsi")
def test_another_host_logs_in_with_chap_and_lvm_of_the_storage_host_sees_nothing_inside(
    storage: Storage, admin: Connection
) -> None:
    names = ["vgs", "--noheadings", "--options", "vg_name"]
    with volume(admin, name="two") as two:
        with iscsi.attached(admin, two, storage.other) as disk:
            storage.other.run(f"pvcreate {disk} && vgcreate tenants {disk}", check=True)
            assert "tenants" not in storage.host.run(names, check=True).stdout
            storage.other.run("vgchange -an tenants", check=True)
        with iscsi.attached(admin, two, storage.host) as disk:
            assert "LVM2_member" in storage.host.run(f"udevadm settle; blkid -p {disk}", check=True).stdout
            assert "tenants" not in storage.host.run(names, check=True).stdout
    assert storage.site() == storage.kept


@pytest.mark.shows("images", "iscsi")
def test_a_volume_made_from_an_image_is_attached_and_read_back(storage: Storage, admin: Connection) -> None:
    image = admin.image.create_image(
        "content", disk_format="raw", container_format="bare", data=CONTENT, wait=True, allow_duplicates=True
    )
    with volume(admin, name="three", image_id=image.id) as three, iscsi.attached(admin, three, storage.other) as disk:
        read = storage.other.run(f"head -c {len(CONTENT)} {disk} | sha256sum", check=True).stdout
        assert read.split()[0] == hashlib.sha256(CONTENT).hexdigest()
    admin.image.delete_image(image)


@pytest.mark.shows("reboot")
def test_volumes_survive_a_reboot_of_the_storage_host(storage: Storage, admin: Connection) -> None:
    with volume(admin, name="four") as four, iscsi.attached(admin, four, storage.other) as disk:
        storage.other.run(f"dd if=/dev/zero bs=1M count=8 | tr '\\0' x | dd of={disk} bs=1M oflag=direct", check=True)
        storage.reboot()
        # Its initiator logs in anew by itself.
        read = f"dd if={disk} bs=1M count=8 iflag=direct | tr -cd x | wc -c"
        deadline = time.monotonic() + 300
        while (done := storage.other.run(read, timeout=280)).stdout.strip() != str(8 * MIB):
            assert time.monotonic() < deadline, done.stdout + done.stderr
            time.sleep(2)
    assert storage.site() == storage.kept


def test_thin_volumes_are_in_a_pool_of_cinders_own(storage: Storage, admin: Connection) -> None:
    storage.answer(CONFIG_CINDER_VOLUMES_THIN="y")
    assert storage.install().code == 0
    with volume(admin, name="five") as five:
        kinds = storage.host.run(f"lvs --noheadings -o lv_name,pool_lv {GROUP}", check=True).stdout
        assert [f"volume-{five.id}", f"{GROUP}-pool"] in [line.split() for line in kinds.splitlines()]
    assert storage.site() == storage.kept


def test_a_group_is_made_on_an_empty_disk_and_the_other_stays_as_it_is(storage: Storage, admin: Connection) -> None:
    storage.answer(
        CONFIG_CINDER_VOLUME_NAME="fresh", CONFIG_CINDER_VOLUMES_DEVICES=EMPTY, CONFIG_CINDER_VOLUMES_THIN="n"
    )
    done = storage.install()
    assert done.code == 0, (done.out + done.err)[-4000:]
    assert storage.host.run("pvs --noheadings -o pv_name --select vg_name=fresh").stdout.split() == [EMPTY]
    with volume(admin, name="six") as six:
        assert f"volume-{six.id}" in sizes(storage.host, "fresh")
    assert storage.site() == storage.kept


@pytest.mark.shows("reboot")
def test_a_group_is_made_in_a_file_and_is_there_after_a_reboot(storage: Storage, admin: Connection) -> None:
    storage.answer(
        CONFIG_CINDER_VOLUME_NAME="trial",
        CONFIG_CINDER_VOLUMES_DEVICES="",
        CONFIG_CINDER_VOLUMES_CREATE="y",
        CONFIG_CINDER_VOLUMES_SIZE="3G",
    )
    done = storage.install()
    assert done.code == 0, (done.out + done.err)[-4000:]
    with volume(admin, name="seven") as seven:
        storage.reboot()
        assert f"volume-{seven.id}" in sizes(storage.host, "trial")
        assert storage.install("--json").event("summary")["changed"] == 0
    assert storage.host.run("stat -c '%a %U' /var/lib/pystack/volume-groups").stdout.split() == ["700", "root"]
    assert storage.site() == storage.kept


def sizes(host: LabHost, group: str = GROUP) -> dict[str, int]:
    """Return the sizes of the logical volumes of a group in MiB, by name."""
    told = host.run(f"lvs --noheadings --units m --nosuffix -o lv_name,lv_size {group}", check=True).stdout
    return {name: int(float(size)) for name, size in map(str.split, told.splitlines())}
