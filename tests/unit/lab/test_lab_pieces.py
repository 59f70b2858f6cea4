"""The lab's pieces that need no host: names, networks, keys, the files that make a host."""

import os
from ipaddress import IPv4Network
from pathlib import Path

import paramiko
import pytest

from installer import lab
from installer.lab import container, distribution, fleet, keys, machine, network, nspawn, places, platforms, settings
from installer.lab.host import LabHost
from installer.lab.places import LabFailed, LabRefused, PlatformNotPossible
from installer.paths import read_yaml

SUBNET = IPv4Network("10.91.0.0/24")


@pytest.mark.parametrize("name", ["a", "one", "lab-1", "a" * 32])
def test_a_plain_host_name_is_accepted(name: str) -> None:
    places.check_name(name)


@pytest.mark.parametrize("name", ["", "1st", "-a", "a-", "A", "a.b", "a_b", "../a", "a b", "ä", "a" * 33, "a\n"])
def test_a_name_that_is_no_plain_host_name_is_refused(name: str) -> None:
    with pytest.raises(LabRefused, match="cannot be the name"):
        places.check_name(name)


def test_the_first_network_is_taken_when_nothing_stands_in_its_way() -> None:
    assert network.choose(["default", "192.0.2.0/24", "192.0.2.7"]) == SUBNET


@pytest.mark.parametrize("route", ["10.91.0.0/24", "10.91.0.0/21", "10.91.0.77"])
def test_a_network_that_overlaps_a_route_is_not_taken(route: str) -> None:
    assert network.choose(["0.0.0.0/0", route]) == IPv4Network("10.91.8.0/24")


def test_a_site_that_routes_all_of_the_first_range_leaves_others() -> None:
    assert network.choose(["10.0.0.0/8"]) == IPv4Network("172.27.91.0/24")


def test_without_a_free_network_the_lab_refuses() -> None:
    with pytest.raises(LabRefused, match="overlaps a route"):
        network.choose(["10.0.0.0/8", "172.16.0.0/12", "192.168.0.0/16", "198.18.0.0/15"])


def test_the_lowest_free_address_is_given() -> None:
    assert network.free_address(SUBNET, []) == "10.91.0.10"
    assert network.free_address(SUBNET, ["10.91.0.10", "10.91.0.12"]) == "10.91.0.11"


def test_a_full_network_is_said_to_be_full() -> None:
    with pytest.raises(LabRefused, match="no free address"):
        network.free_address(SUBNET, [str(address) for address in SUBNET])


def test_the_last_address_given_is_not_the_broadcast_address() -> None:
    used = [f"10.91.0.{number}" for number in range(10, 254)]
    assert network.free_address(SUBNET, used) == "10.91.0.254"


def test_a_key_pair_is_one_that_ssh_understands(tmp_path: Path) -> None:
    pair = keys.make()
    (tmp_path / "key").write_text(pair.private)
    read = paramiko.Ed25519Key.from_private_key_file(str(tmp_path / "key"))
    assert f"ssh-ed25519 {read.get_base64()}" == pair.public
    assert read.fingerprint == pair.fingerprint
    assert pair.private not in repr(pair)


def test_a_host_knows_its_own_name_and_nobody_elses() -> None:
    assert settings.hosts_file("one", "10.91.0.10").splitlines()[-1] == "10.91.0.10 one.lab one"


def test_the_gateway_is_the_machine() -> None:
    text = settings.network_file("10.91.0.10", SUBNET)
    assert "Address=10.91.0.10/24\nGateway=10.91.0.1\n" in text


def test_a_host_has_the_same_number_in_both_networks() -> None:
    assert network.counterpart("10.91.0.17", IPv4Network("10.91.8.0/24")) == "10.91.8.17"


def test_clouds_of_fifteen_controllers_in_a_row_give_different_addresses_to_their_instances() -> None:
    outside = IPv4Network("10.91.8.0/24")
    pools = [network.floating(f"10.91.0.{number}", outside) for number in range(10, 25)]
    assert pools[0] == ("10.91.8.100", "10.91.8.109")
    assert pools[-1] == ("10.91.8.240", "10.91.8.249")
    assert len(set(pools)) == 15


def test_traffic_between_the_labs_own_networks_is_not_translated() -> None:
    for segment in (network.inner(), network.outer()):
        text = network.ruleset(SUBNET, segment)
        assert f"table ip {segment.table} {{" in text
        assert 'ip saddr 10.91.0.0/24 oifname != { "pystack0", "pystack0x" } masquerade' in text


def test_the_machines_end_of_a_second_interface_has_a_name_that_the_kernel_takes() -> None:
    names = {container.link_name(Path("/var/lib/pystack/lab/hosts") / name) for name in ("a", "b", "c" * 32)}
    assert len(names) == 3
    assert max(map(len, names)) <= 15


def test_the_second_interface_has_an_address_and_no_way_to_the_outside(tmp_path: Path) -> None:
    settings.apply_external(tmp_path, "10.91.8.10", IPv4Network("10.91.8.0/24"))
    text = (tmp_path / settings.EXTERNAL_FILE).read_text()
    assert "Name=ext0\n" in text
    assert "Address=10.91.8.10/24\n" in text
    assert "Gateway" not in text


def test_an_unknown_platform_is_refused_with_the_known_ones() -> None:
    with pytest.raises(LabRefused) as refusal:
        platforms.find("debian-7")
    assert "debian-12, debian-13" in refusal.value.remedy


def test_an_image_holds_nothing_of_openstack() -> None:
    wrong = ("openstack", "nova", "keystone", "mariadb", "rabbitmq", "openvswitch")
    named = [package for kind in platforms.PLATFORMS.values() for package in kind.packages + kind.python]
    assert not [package for package in named if any(word in package for word in wrong)]


def test_a_full_disk_is_said_with_the_figures(tmp_path: Path) -> None:
    with pytest.raises(
        LabRefused, match=r"a base image needs 1000000 GiB free on the file system of .*; there are"
    ) as full:
        machine.check_room(tmp_path / "not" / "there", 1e6, "a base image")
    assert not isinstance(full.value, PlatformNotPossible), "no test is left out for that"


def test_a_state_file_cut_short_counts_as_none(tmp_path: Path) -> None:
    (tmp_path / "host.json").write_text('{"name": "on')
    assert places.read_state(tmp_path / "host.json") is None


def test_a_file_is_written_with_its_mode(tmp_path: Path) -> None:
    places.write(tmp_path / "sub" / "key", "secret", 0o600)
    places.write(tmp_path / "sub" / "key", b"other", 0o640)
    assert (tmp_path / "sub" / "key").read_text() == "other"
    assert (tmp_path / "sub" / "key").stat().st_mode & 0o777 == 0o640
    assert [path.name for path in (tmp_path / "sub").iterdir()] == ["key"]


def test_a_failing_program_is_told_with_its_last_words() -> None:
    with pytest.raises(LabFailed, match=r"ended with 3:\nlast words"):
        places.command(["sh", "-c", "echo last words >&2; exit 3"])


def test_a_missing_program_is_named() -> None:
    with pytest.raises(LabFailed, match="'no-such-program' is not on this machine"):
        places.command(["no-such-program"])


def test_where_no_lab_is_none_is_removed_and_nothing_has_to_be_installed_for_that(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(places, "LAB", tmp_path / "lab")
    monkeypatch.setattr(places, "IMAGES", tmp_path / "cache" / "images")
    monkeypatch.setattr("os.geteuid", lambda: 0)
    monkeypatch.setenv("PATH", str(tmp_path))
    lab.down([])
    with pytest.raises(LabRefused, match="there is no lab host 't-nobody'"):
        lab.down(["t-nobody"])


def test_every_control_group_tree_that_systemd_uses_is_found(tmp_path: Path) -> None:
    (tmp_path / "mounts").write_text(
        "cgroup /sys/fs/cgroup/cpu cgroup rw,relatime,cpu 0 0\n"
        "cgroup /sys/fs/cgroup/memory cgroup rw,relatime,memory 0 0\n"
        "cgroup /sys/fs/cgroup/systemd cgroup rw,relatime,name=systemd 0 0\n"
        "cgroup2 /sys/fs/cgroup/unified cgroup2 rw,relatime 0 0\n"
        "overlay / overlay rw,lowerdir=/a:/b,upperdir=/c,workdir=/d 0 0\n"
    )
    assert [path.name for path in nspawn.hierarchies(tmp_path / "mounts")] == ["memory", "systemd", "unified"]


def test_ssh_to_a_lab_host_trusts_its_key_and_no_other() -> None:
    argv = LabHost("one", "debian-13", "10.91.0.10", "operator", "/image", "ssh-ed25519 AAAA").ssh()
    assert argv[-1] == "operator@10.91.0.10"
    assert {"StrictHostKeyChecking=yes", "GlobalKnownHostsFile=/dev/null"} <= set(argv)


@pytest.mark.parametrize(
    ("image", "word"), [("el-9-0123456789ab", "real"), ("el-9-stand-in-0123456789ab", "a stand-in")]
)
def test_a_host_that_was_made_is_told_to_be_real_or_a_stand_in(image: str, word: str) -> None:
    host = LabHost("one", "el-9", "10.91.0.10", "root", str(places.IMAGES / image), "ssh-ed25519 AAAA")
    assert fleet.told(host) == f"lab host one (el-9, {word})"


def test_where_networkmanager_is_it_is_told_the_addresses(tmp_path: Path) -> None:
    (tmp_path / "usr/sbin").mkdir(parents=True)
    (tmp_path / "usr/sbin/NetworkManager").touch()
    settings.apply_external(tmp_path, "198.51.100.10", IPv4Network("198.51.100.0/24"))
    (made,) = tmp_path.glob("etc/NetworkManager/system-connections/*")
    assert made.stat().st_mode & 0o777 == 0o600
    assert "address1=198.51.100.10/24\n" in made.read_text()
    text = settings.connection_file("192.0.2.10", IPv4Network("192.0.2.0/24"))
    assert "interface-name=host0" in text
    assert "address1=192.0.2.10/24,192.0.2.1\n" in text


@pytest.mark.parametrize("platform", ["el-9", "el-10", "fedora-43"])
def test_an_image_of_the_distribution_itself_is_filled_from_signed_packages(platform: str) -> None:
    table = read_yaml(Path(distribution.__file__).with_name("distributions.yaml"))[platform]
    text = distribution.repositories(table)
    assert text.count("gpgcheck=1") == text.count("metalink=https://") == len(table["repositories"])
    packages = distribution.wanted(table, True, ["udev", "lvm2", "selinux-basics"])
    assert {"systemd-udev", "lvm2", "python3", "openssh-server"} <= set(packages)
    assert "" not in packages
    assert "python3" not in distribution.wanted(table, False, [])
    assert "$" not in distribution.filled(next(iter(table["repositories"].values())), table["releasever"])


def test_a_host_of_the_same_name_in_a_lab_within_a_lab_host_is_not_ours(monkeypatch: pytest.MonkeyPatch) -> None:
    ids = {7: ["7", "3"], 8: ["8"], os.getpid(): [str(os.getpid())]}
    monkeypatch.setattr(nspawn, "command_lines", lambda _: [(7, ["systemd-nspawn", "--directory=/x"])])
    monkeypatch.setattr(nspawn, "status", lambda process, field: ids[process] if field == "NSpid" else ["1"])
    assert nspawn.supervisor("--directory=/x") is None
    monkeypatch.setattr(nspawn, "command_lines", lambda _: [(8, ["systemd-nspawn", "--directory=/x"])])
    assert nspawn.supervisor("--directory=/x") == 8
