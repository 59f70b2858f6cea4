"""Hosts with a kernel of their own: disks and volume groups, SELinux, the lab's network; they leave nothing behind."""

import os
import platform
from pathlib import Path

import pytest

from installer import lab
from installer.lab.host import LabHost

pytestmark = [
    pytest.mark.lab,
    pytest.mark.shows("lab-own-kernel"),
    pytest.mark.long,
    pytest.mark.skipif(os.geteuid() != 0, reason="making lab hosts needs root"),
    pytest.mark.timeout(900),
]

SECONDS = 60


@pytest.fixture(scope="module")
def own(own_lab: None) -> LabHost:
    return lab.up(["t-own"], kernel="own", disks=(1, 2))[0]


@pytest.fixture(scope="module")
def volume(own: LabHost) -> str:
    """A logical volume with a file system in which somebody keeps something."""
    own.run("vgcreate site /dev/ubdb && lvcreate -L 100M -n data site && mkfs.ext4 -q /dev/site/data", check=True)
    own.run("mount /dev/site/data /mnt && echo kept > /mnt/mark && umount /mnt", check=True)
    return own.run("vgs --noheadings -o uuid site", check=True).stdout


def kept(host: LabHost) -> str:
    """Return what is in the volume, which is found again by itself."""
    return host.run("mount /dev/site/data /mnt && cat /mnt/mark && umount /mnt", check=True).stdout


def boot_of(host: LabHost) -> str:
    return host.run("cat /proc/sys/kernel/random/boot_id", check=True).stdout


def test_a_host_has_another_kernel_than_this_machine_and_is_a_whole_system(own: LabHost) -> None:
    assert own.run(["uname", "-r"]).stdout.strip() != platform.release()
    assert own.run("systemctl is-system-running --wait").stdout.strip() == "running"
    assert own.run(["hostname", "-f"]).stdout == "t-own.lab\n"
    assert own.run("getenforce").returncode == 127
    version = own.platform.rpartition("-")[2]
    assert f'VERSION_ID="{version}"' in own.run("cat /etc/os-release").stdout


def test_its_modules_are_there(own: LabHost) -> None:
    own.run("modprobe dm_thin_pool && modprobe iscsi_tcp && modprobe target_core_mod", check=True)


def test_it_has_the_disks_that_were_asked_for(own: LabHost) -> None:
    sizes = own.run("lsblk --noheadings --nodeps --output NAME,SIZE /dev/ubdb /dev/ubdc", check=True).stdout
    assert sizes.split() == ["ubdb", "1G", "ubdc", "2G"]


def test_it_reaches_the_package_archive_by_name(own: LabHost) -> None:
    done = own.run("apt-get update -o APT::Update::Error-Mode=any", timeout=240)
    assert done.returncode == 0, done.stderr


def test_it_and_a_container_reach_each_other(own: LabHost) -> None:
    container = lab.up(["t-shared"])[0]
    for one, other in ((own, container), (container, own)):
        assert one.run(f"head -c 4 < /dev/tcp/{other.address}/22", timeout=SECONDS).stdout == "SSH-"
    lab.down(["t-shared"])
    assert own.run(["true"]).returncode == 0


def test_a_volume_survives_reboots_a_power_cut_and_an_orderly_stop(own: LabHost, volume: str) -> None:
    before = boot_of(own)
    own.reboot()
    assert boot_of(own) != before
    assert kept(own) == "kept\n"
    own.run("touch /root/mark; sync", check=True)
    for stop in (own.kill9, own.stop):
        stop()
        assert not own.running
        own.start()
        assert kept(own) == "kept\n"
        own.run("test -e /root/mark", check=True)
    assert own.run("vgs --noheadings -o uuid site", check=True).stdout == volume


def test_an_orderly_stop_ends_the_hosts_services_in_order(own: LabHost) -> None:
    own.run("echo '#!/bin/sh\nsleep 1; echo ended > /root/ended; sync' > /root/end; chmod +x /root/end", check=True)
    own.run("systemd-run --unit=last --property=ExecStop=/root/end sleep infinity", check=True)
    own.stop()
    own.start()
    assert own.run("cat /root/ended").stdout == "ended\n"


def test_a_host_that_reboots_itself_comes_back_with_its_network(own: LabHost) -> None:
    before = boot_of(own)
    own.run("systemctl reboot")
    while own.run("true").returncode == 0:
        pass
    own.wait()
    assert boot_of(own) != before


def test_a_reset_forgets_what_was_written_to_every_disk(own: LabHost, volume: str) -> None:
    own.run("touch /root/mark; rm -r /etc/apt", check=True)
    own.reset()
    own.run("test ! -e /root/mark && test -d /etc/apt", check=True)
    assert own.run("vgs --noheadings", check=True).stdout == ""
    assert lab.get("t-own") == own


def test_a_removed_host_leaves_no_process_and_no_file(own_lab: None) -> None:
    host = lab.up(["t-gone"], kernel="own", memory=512, disks=(1,))[0]
    total = int(host.run("awk '/MemTotal/{print $2}' /proc/meminfo").stdout)
    assert 400 * 1024 < total <= 512 * 1024
    lab.down(["t-gone"])
    assert not host.running
    assert not host.folder.exists()


@pytest.mark.parametrize("state", ["disabled", "permissive", "enforcing"])
def test_selinux_is_in_the_state_that_was_asked_for(own_lab: None, state: str) -> None:
    host = lab.up([f"t-{state}"], kernel="own", selinux=state)[0]
    assert host.run("getenforce").stdout.strip().lower() == state
    assert f"SELINUX={state}\n" in host.run("cat /etc/selinux/config").stdout
    assert host.run("systemctl is-system-running --wait").stdout.strip() == "running"
    host.run("systemctl restart ssh && systemctl daemon-reload", check=True)
    if state != "disabled":
        assert host.run("id -Z").stdout.startswith("unconfined_u:unconfined_r:unconfined_t:")
        for path, label in (("/root/.ssh/authorized_keys", "ssh_home_t"), ("/etc/ssh/sshd_config", "etc_t")):
            assert f":{label}:" in host.run(["stat", "--format=%C", path]).stdout
    lab.down([host.name])


def test_a_host_that_does_not_boot_is_told_with_its_console(own: LabHost) -> None:
    image = Path(own.folder, "disk.image")
    own.kill9()
    image.rename(image.with_suffix(".away"))
    with pytest.raises(lab.LabFailed, match="panic"):
        own.start()
    own.kill9()
    image.with_suffix(".away").rename(image)
    own.start()
