from __future__ import annotations

import json
from pathlib import Path

import pytest

from installer.resources import lvm_filter
from installer.resources.base import CannotFix
from installer.resources.lvm_filter import LvmFilter, with_block
from installer.resources.volume_group import VolumeGroup
from tests.unit.resources.fake_host import FakeHost

EMPTY = {
    "lsblk": json.dumps(
        {
            "blockdevices": [
                {"name": "b", "type": "disk", "size": 1 << 32, "fstype": None, "mountpoint": None, "ro": False}
            ]
        }
    ),
    "wipefs --no-act": '{"signatures": []}',
    "vgcreate": "",
}


class TestVolumeGroup:
    def test_one_that_is_there_is_as_expected_whatever_it_is_made_of(self) -> None:
        item = VolumeGroup("site", ("/dev/b",))
        assert VolumeGroup.query([item], FakeHost({"vgs": "  root\n  site\n"})) == {item.id: item.expected()}

    @pytest.mark.parametrize("answer", ["", (127, "", "no such program")])
    def test_without_lvm_there_is_none(self, answer: object) -> None:
        item = VolumeGroup("site")
        assert VolumeGroup.query([item], FakeHost({"vgs": answer})) == {item.id: None}

    def test_it_is_made_on_empty_devices_and_nothing_says_yes_to_overwriting(self) -> None:
        host = FakeHost(EMPTY)
        VolumeGroup("site", ("/dev/b", "/dev/c")).fix(None, host)
        assert host.ran[-1] == "vgcreate site /dev/b /dev/c"
        assert not any("--yes" in line or "--force" in line for line in host.ran)

    def test_a_device_that_holds_something_is_refused_even_now(self) -> None:
        host = FakeHost({**EMPTY, "wipefs --no-act": '{"signatures": [{"type": "ext4"}]}'})
        with pytest.raises(CannotFix, match="no volume group is made on /dev/b: it holds ext4"):
            VolumeGroup("site", ("/dev/b",)).fix(None, host)
        assert not any(line.startswith("vgcreate") for line in host.ran)

    def test_it_is_made_on_the_loop_device_of_its_file(self) -> None:
        host = FakeHost({**EMPTY, "losetup": "/dev/loop7\n"})
        VolumeGroup("site", file="/var/lib/site.img").fix(None, host)
        assert host.ran[-1] == "vgcreate site /dev/loop7"

    def test_nothing_is_made_out_of_nothing(self) -> None:
        with pytest.raises(CannotFix, match="nothing was named to make it on"):
            VolumeGroup("site").fix(None, FakeHost())

    def test_of_two_of_one_name_none_is_chosen(self) -> None:
        item = VolumeGroup("site", ("/dev/b",))
        actual = VolumeGroup.query([item], FakeHost({"vgs": "site\nsite\n"}))[item.id]
        assert actual != item.expected()
        with pytest.raises(CannotFix, match="2 volume groups site"):
            item.fix(actual, FakeHost())


class TestLvmFilter:
    @pytest.fixture(autouse=True)
    def files(self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(lvm_filter, "FILE", tmp_path / "lvm/lvmlocal.conf")
        monkeypatch.setattr(lvm_filter, "DEVICES", tmp_path / "system.devices")

    def test_without_a_filter_lvm_would_look_inside_volumes(self) -> None:
        item = LvmFilter()
        assert LvmFilter.query([item], FakeHost({"lvmconfig": (5, "", "not found")})) != {item.id: item.expected()}

    @pytest.mark.parametrize("answer", ['global_filter="r|sdb|"', (127, "", "no such program")])
    def test_the_operators_own_filter_and_a_host_without_lvm_are_fine(self, answer: object) -> None:
        item = LvmFilter()
        assert LvmFilter.query([item], FakeHost({"lvmconfig": answer})) == {item.id: item.expected()}

    def test_so_is_a_host_where_lvm_has_a_list_of_its_devices(self) -> None:
        lvm_filter.DEVICES.write_text("")
        assert LvmFilter.query([LvmFilter()], FakeHost()) == {"lvm-filter:volumes": LvmFilter().expected()}

    def test_what_is_in_the_file_stays(self) -> None:
        once = with_block("local {\n\thost_id = 4\n}", ())
        assert once.startswith("local {\n\thost_id = 4\n}\n# begin pystack")
        assert with_block(once, ()) == once
        assert 'global_filter = [ "r|^/dev/disk/by-path/.*-(iscsi|fc)-|"' in once

    def test_a_physical_volume_of_the_hosts_own_on_a_san_is_still_seen(self) -> None:
        link = "/dev/disk/by-path/ip-192.0.2.1:3260-iscsi-iqn.2026-01.org.example:boot-lun-0"
        block = with_block("", [link])
        assert block.index('"a|^/dev/disk/by\\-path/ip\\-192\\.0\\.2\\.1') < block.index('"r|')
