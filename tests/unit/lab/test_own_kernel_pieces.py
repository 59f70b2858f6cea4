"""What makes a lab host with a kernel of its own and needs no kernel: command line, names, settings."""

import struct
from pathlib import Path

import pytest

from installer.lab import disk, kinds, own_kernel, places, power_button
from installer.lab.host import LabHost, load
from installer.lab.places import LabRefused
from installer.lab.runner import Wish

FOLDER = Path("/var/lib/pystack/lab/hosts/one")
TAPS = {"pk0-aa": "52:54:00:aa:bb:cc", "pk1-aa": "52:54:01:aa:bb:cc"}


def test_the_kernel_is_told_of_every_disk_in_its_order() -> None:
    words = own_kernel.boot_arguments(FOLDER, 512, 2, TAPS, "")
    assert [word for word in words if word.startswith("ubd")] == [
        "ubd0=/host/disk.changes,/host/disk.image",
        "ubd1=/host/data-1.disk",
        "ubd2=/host/data-2.disk",
    ]
    assert "mem=512M" in words


def test_the_kernel_has_as_many_interfaces_as_the_host() -> None:
    one, two = TAPS.items()
    for taps in (dict([one]), TAPS):
        words = own_kernel.boot_arguments(FOLDER, 512, 0, taps, "")
        assert [word[:5] for word in words if word.startswith("vec")] == ["vec0:", "vec1:"][: len(taps)]
    assert f"vec1:transport=tap,ifname={two[0]},mac={two[1]},depth=128,gro=1" in words


@pytest.mark.parametrize("state", own_kernel.SELINUX_STATES)
def test_the_state_of_selinux_is_the_hosts_own_setting_and_not_the_kernels(state: str) -> None:
    with_it = own_kernel.boot_arguments(FOLDER, 512, 0, TAPS, state)
    without = own_kernel.boot_arguments(FOLDER, 512, 0, TAPS, "")
    assert [word for word in without if word not in with_it] == ["lsm=yama"]
    assert set(with_it) <= set(without)


def test_a_hosts_interfaces_have_names_that_the_kernel_takes_and_addresses_that_no_other_has() -> None:
    folders = [FOLDER.with_name(name) for name in ("a", "b", "c" * 32)]
    names = {own_kernel.tap_name(folder, number) for folder in folders for number in (0, 1)}
    addresses = {own_kernel.hardware_address(folder, number) for folder in folders for number in (0, 1)}
    assert len(names) == len(addresses) == 6
    assert max(map(len, names)) <= 15
    # The second bit of the first byte: given by whoever runs the network; the first: to a group (IEEE 802).
    assert all(int(address[:2], 16) & 3 == 2 for address in addresses)


@pytest.mark.parametrize("state", own_kernel.SELINUX_STATES)
def test_the_state_of_selinux_is_set_and_all_else_is_left(state: str) -> None:
    text = "# SELINUX= can take\n#  permissive - warnings\nSELINUX=permissive\nSELINUXTYPE=default\nSETLOCALDEFS=0\n"
    assert disk.selinux_config(text, state) == text.replace("SELINUX=permissive", f"SELINUX={state}")


def test_the_power_button_is_pressed_in_the_words_of_the_kernels_console() -> None:
    magic, version, length = struct.unpack_from("=III", power_button.request("cad"))
    assert (magic, version, length) == (0xCAFEBABE, 2, 3)
    assert power_button.request("cad")[12:] == b"cad" + bytes(509)


@pytest.mark.parametrize(
    ("wish", "says"),
    [
        (Wish(disks=(4,)), "has no disks of its own"),
        (Wish(selinux="enforcing", memory=512), "has no SELinux and no memory of its own"),
        (Wish(kernel="own", binds=("/srv",)), "sees no folder of this machine"),
        (Wish(kernel="own", selinux="on"), "cannot be 'on'"),
        (Wish(kernel="own", memory=64), "64 MiB"),
        (Wish(kernel="own", disks=(4, 0)), "at least 1 GiB"),
        (Wish(kernel="linux"), "cannot be 'linux'"),
    ],
)
def test_what_a_kind_of_host_cannot_have_is_refused(wish: Wish, says: str) -> None:
    with pytest.raises(LabRefused, match=says) as refusal:
        kinds.find(wish)
    assert refusal.value.remedy


@pytest.mark.parametrize(
    "wish",
    [Wish(), Wish(binds=("/srv",), external=True), Wish(kernel="own", disks=(4, 8), selinux="enforcing", memory=512)],
)
def test_a_host_is_read_from_disk_as_it_was_written(
    wish: Wish, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(places, "LAB", tmp_path)
    host = LabHost("one", "debian-13", "10.91.0.10", "root", "/image", "ssh-ed25519 AAAA", wish)
    host.save()
    assert load("one") == host


def test_a_host_that_was_written_before_it_could_have_disks_is_read(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(places, "LAB", tmp_path)
    former = {"name": "one", "platform": "debian-13", "address": "10.91.0.10", "user": "root", "image": "/image"}
    places.write_state(tmp_path / "hosts/one/host.json", {**former, "host_key": "ssh-ed25519 AAAA", "binds": ["/srv"]})
    found = load("one")
    assert found is not None
    assert found.wish == Wish(binds=("/srv",))
