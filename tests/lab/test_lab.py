"""The lab itself: hosts come up in seconds, forget what they shall forget, and leave nothing behind."""

import contextlib
import os
import socket
import time
from pathlib import Path

import pytest

from installer import lab
from installer.lab import places
from installer.lab.host import LabHost
from installer.lab.network import current
from tests.lab import on_platform

pytestmark = [
    pytest.mark.lab,
    pytest.mark.shows("lab-hosts"),
    pytest.mark.skipif(os.geteuid() != 0, reason="making lab hosts needs root"),
    pytest.mark.timeout(600),
]

PASSWORD = "a 'quoted' $(word) %s \\ ü"


@pytest.fixture(scope="module")
def root_host(own_lab: None) -> LabHost:
    return lab.up(["t-root"])[0]


@pytest.fixture(scope="module")
def sudo_host(own_lab: None) -> LabHost:
    return lab.up(["t-sudo"], "debian-12", sudo_user="operator", sudo_password=PASSWORD)[0]


def test_a_host_is_a_whole_system_with_a_name_an_address_and_no_failed_unit(root_host: LabHost) -> None:
    assert root_host.run("systemctl is-system-running --wait").stdout.strip() == "running"
    assert root_host.run(["hostname", "-f"]).stdout == "t-root.lab\n"
    assert root_host.run(["id", "-un"]).stdout == "root\n"
    network = current()
    assert network is not None
    assert f"inet {root_host.address}/{network.prefixlen} " in root_host.run("ip -4 address show host0").stdout
    version = root_host.platform.rpartition("-")[2]
    assert f'VERSION_ID="{version}"' in root_host.run("cat /etc/os-release").stdout


def test_a_host_starts_without_the_forwarding_of_the_machine(root_host: LabHost) -> None:
    assert root_host.run("cat /proc/sys/net/ipv4/ip_forward").stdout == "0\n"


def test_a_host_reaches_the_package_archive(root_host: LabHost) -> None:
    asked = {"apt": "apt-get update -o APT::Update::Error-Mode=any", "dnf": "dnf makecache --refresh"}
    done = root_host.run(asked[on_platform.package_manager(root_host)], timeout=120)
    assert done.returncode == 0, done.stderr


def test_a_host_trusts_the_authorities_that_the_machine_trusts(root_host: LabHost) -> None:
    from installer.lab.trust import read_own_authorities

    bundle = root_host.run("cat /etc/ssl/certs/ca-certificates.crt").stdout
    assert len(bundle) > 100_000
    assert [name for name, pem in read_own_authorities().items() if pem.strip() not in bundle] == []


def test_arguments_arrive_as_they_were_given(root_host: LabHost) -> None:
    assert root_host.run(["printf", "%s|", PASSWORD, "", "a b"]).stdout == f"{PASSWORD}||a b|"


def test_a_failed_command_is_an_error_where_that_was_asked_for(root_host: LabHost) -> None:
    assert root_host.run("exit 7").returncode == 7
    with pytest.raises(lab.LabFailed, match="on lab host t-root: 'echo oh; exit 7' ended with 7:\noh"):
        root_host.run("echo oh; exit 7", check=True)


def test_a_host_that_shows_another_key_is_not_trusted(root_host: LabHost) -> None:
    key = "/etc/ssh/ssh_host_ed25519_key"
    root_host.run(f"rm {key} {key}.pub && ssh-keygen -q -t ed25519 -N '' -f {key} && systemctl restart ssh", check=True)
    refused = root_host.run(["true"])
    assert refused.returncode == 255
    assert "Host key verification failed" in refused.stderr
    root_host.reset()
    assert root_host.run(["true"]).returncode == 0


def test_the_sudo_user_needs_the_password_and_root_may_not_log_in(sudo_host: LabHost) -> None:
    assert 'VERSION_ID="12"' in sudo_host.run("cat /etc/os-release").stdout
    assert sudo_host.run(["id", "-un"]).stdout == "operator\n"
    assert sudo_host.run(["sudo", "-n", "id"]).returncode != 0
    assert sudo_host.run(["sudo", "-S", "-p", "", "id", "-u"], stdin=f"{PASSWORD}\n").stdout == "0\n"
    assert sudo_host.run(["id"], user="root").returncode == 255


def test_two_hosts_see_each_other_and_not_each_others_services(root_host: LabHost, sudo_host: LabHost) -> None:
    assert root_host.address != sudo_host.address
    assert root_host.run(f"head -c 4 < /dev/tcp/{sudo_host.address}/22", timeout=10).stdout == "SSH-"
    units = root_host.run("systemd-cgls --no-pager --unit ssh.service").stdout
    assert units.count("sshd: /usr/sbin/sshd") == 1, units


def test_hosts_that_come_and_go_do_not_change_where_others_send_to(root_host: LabHost) -> None:
    bridge = Path("/sys/class/net") / places.BRIDGE
    # 3: somebody has set it (include/uapi/linux/netdevice.h).
    assert (bridge / "addr_assign_type").read_text().strip() == "3"


def test_a_reboot_keeps_what_was_written(root_host: LabHost) -> None:
    root_host.run("touch /root/mark", check=True)
    before = root_host.run("cat /proc/1/stat | cut -d' ' -f22").stdout
    root_host.reboot()
    assert root_host.run("cat /proc/1/stat | cut -d' ' -f22").stdout != before
    root_host.run("test -e /root/mark", check=True)


def test_a_host_that_reboots_itself_comes_back(root_host: LabHost) -> None:
    identity = root_host.run("systemd-id128 machine-id").stdout
    root_host.run("systemctl reboot")
    done = root_host.run("true")
    while done.returncode == 0:
        done = root_host.run("true")
    root_host.wait()
    assert root_host.run("systemd-id128 machine-id").stdout == identity


def test_a_power_cut_and_an_orderly_stop_keep_what_was_written(root_host: LabHost) -> None:
    for stop in (root_host.kill9, root_host.stop):
        stop()
        assert not root_host.running
        assert not root_host.root.is_mount()
        root_host.start()
        root_host.run("test -e /root/mark", check=True)


def test_a_reset_throws_away_what_was_written_and_keeps_who_the_host_is(root_host: LabHost) -> None:
    root_host.run("touch /root/mark; rm -r /etc/skel", check=True)
    root_host.reset()
    root_host.run("test ! -e /root/mark && test -d /etc/skel", check=True)
    assert lab.get("t-root") == root_host


def test_a_name_that_is_taken_is_refused_and_the_host_left_alone(root_host: LabHost) -> None:
    with pytest.raises(lab.LabRefused, match="exist already: t-root"):
        lab.up(["t-other", "t-root"])
    assert root_host.running
    assert "t-other" not in [host.name for host in lab.hosts()]


def test_a_host_that_does_not_boot_is_told_with_its_console_and_removed(own_lab: None) -> None:
    with pytest.raises(lab.LabFailed, match="not-there"):
        lab.up(["t-broken"], binds=["/not-there"])
    assert "t-broken" not in [host.name for host in lab.hosts()]


def test_a_host_without_python_has_none(own_lab: None) -> None:
    host = on_platform.up_without_python("t-bare")
    assert host.run("command -v python3").returncode != 0
    lab.down(["t-bare"])
    assert not host.folder.exists()
    with pytest.raises(lab.LabRefused, match="no lab host 't-bare'"):
        lab.get("t-bare")


def test_a_second_interface_is_reached_from_this_machine_and_comes_back_when_the_host_reboots_itself(
    own_lab: None,
) -> None:
    host = lab.up(["t-two-nics"], external=True)[0]
    address = host.external_address
    assert address is not None
    assert address.rpartition(".")[2] == host.address.rpartition(".")[2]

    def answers() -> bool:
        with contextlib.suppress(OSError), socket.create_connection((address, 22), timeout=2) as connection:
            return connection.recv(4) == b"SSH-"
        return False

    assert answers()
    host.run(["systemctl", "--no-block", "reboot"])
    deadline = time.monotonic() + 60
    while answers() and time.monotonic() < deadline:
        time.sleep(0.05)
    while not answers() and time.monotonic() < deadline:
        time.sleep(0.1)
    assert answers()
    assert lab.answers([host])["CONFIG_NEUTRON_OVN_BRIDGE_IFACES"] == "br-ex:ext0"
    lab.down(["t-two-nics"])


def test_what_one_host_of_a_cloud_writes_to_its_share_another_reads_and_a_removed_host_takes_it_along(
    own_lab: None,
) -> None:
    one, two = lab.up(["t-sharing", "t-sharer"], external=True)
    share = lab.answers([one, two])["CONFIG_CINDER_NFS_MOUNTS"]
    for host in (one, two):
        host.run(["mount", "-t", "nfs", "-o", "vers=4.2", share, "/mnt"], check=True)
    one.run("echo content > /mnt/volume", check=True)
    assert two.run(["cat", "/mnt/volume"], check=True).stdout == "content\n"
    lab.down(["t-sharing"])
    assert two.run(["ls", "/mnt"]).stdout == ""
    lab.down(["t-sharer"])


def test_answers_name_the_hosts_and_their_keys(root_host: LabHost, sudo_host: LabHost) -> None:
    alone = lab.answers([root_host])
    assert alone["CONFIG_CONTROLLER_HOST"] == alone["CONFIG_COMPUTE_HOSTS"] == root_host.address
    assert alone["CONFIG_SSH_USER"] == "root"
    both = lab.answers([root_host, sudo_host])
    assert both["CONFIG_COMPUTE_HOSTS"] == sudo_host.address
    assert "CONFIG_SSH_USER" not in both
    scanned = sudo_host.run("ssh-keygen -lf /etc/ssh/ssh_host_ed25519_key.pub").stdout.split()[1]
    assert both["CONFIG_SSH_HOST_KEYS"].split(",")[1] == f"{sudo_host.address}={scanned}"
