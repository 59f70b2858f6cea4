"""Probes of system, packages, mounts, links and proxies: what they make of what a host says."""

from __future__ import annotations

import fcntl
import subprocess
import sys
from pathlib import Path

import pytest

from installer.agent import hosts_file, links, package_state, proxy_settings, storage, system, units
from installer.resources import host_entry
from tests.unit.resources.fake_host import FakeHost


def test_a_file_that_another_process_locks_has_a_holder(tmp_path: Path) -> None:
    path = tmp_path / "lock"
    path.touch()
    assert package_state.holder([str(path)], []) is None
    code = "import fcntl,sys; f=open(sys.argv[1],'w'); fcntl.lockf(f,fcntl.LOCK_EX); print('held',flush=True); input()"
    argv = [sys.executable, "-c", code, str(path)]
    with subprocess.Popen(argv, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as other:
        assert other.stdin is not None
        assert other.stdout is not None
        other.stdout.readline()
        found = package_state.holder([str(path)], [])
        assert found is not None
        assert found["pid"] == other.pid
        other.stdin.write("\n")
    assert package_state.holder([str(path)], []) is None
    assert fcntl.F_UNLCK == 2


@pytest.mark.parametrize(
    ("line", "name"),
    [
        ("/usr/bin/python3 /usr/bin/unattended-upgrade --download-only", "unattended-upgrade"),
        ("/usr/bin/python3 -c import", "python3"),
        ("apt-get install x", "apt-get"),
        ("/bin/sh /usr/lib/apt/apt.systemd.daily install", "apt.systemd.daily"),
        ("", "?"),
    ],
)
def test_a_program_is_called_by_its_script(line: str, name: str) -> None:
    assert package_state.program(line.split()) == name


def test_packages_that_are_neither_here_nor_there_are_unfinished() -> None:
    lines = ["ii  bash", "rc  gone", "iU  unpacked", "iF  half", "iHR broken", "it  waiting", "un  never"]
    assert package_state.parse_unfinished(lines) == (["broken", "half", "unpacked", "waiting"], ["broken"])


MOUNTS = r"""22 1 8:1 / / rw,relatime shared:1 - ext4 /dev/sda1 rw,errors=remount-ro
23 22 8:2 / /opt rw,noexec shared:2 - xfs /dev/sdb1 rw
24 22 8:3 / /var rw shared:3 - ext4 /dev/sdc1 ro
25 22 0:9 / /mnt/a\040b rw - tmpfs tmpfs rw
26 23 0:8 / /opt ro - tmpfs tmpfs rw
"""


def test_a_place_belongs_to_the_last_mount_above_it() -> None:
    found = storage.parse(MOUNTS)
    assert storage.mount_of("/", found) == {"point": "/", "kind": "ext4", "options": ["relatime", "rw"]}
    assert storage.mount_of("/opt/pystack", found) == {"point": "/opt", "kind": "tmpfs", "options": ["ro"]}
    assert "ro" in storage.mount_of("/var/lib", found)["options"]
    assert storage.mount_of("/mnt/a b/c", found)["kind"] == "tmpfs"


def test_places_of_this_machine_have_mounts_and_room() -> None:
    found = storage.mounts()
    assert found["/"]["point"] == "/"
    assert found["/tmp"]["free_mib"] > 0


def test_units_are_told_that_are_there() -> None:
    text = (
        "Id=ufw.service\nLoadState=not-found\nActiveState=inactive\nUnitFileState=\n\n"
        "Id=firewalld.service\nLoadState=loaded\nActiveState=active\nUnitFileState=enabled\n"
    )
    assert units.parse(text) == {"firewalld.service": {"active": "active", "enabled": "enabled"}}


def test_interfaces_have_a_mtu_a_state_and_the_addresses_that_are_lent(tmp_path: Path) -> None:
    for name, files in {
        "eth0": {"mtu": "1450\n", "flags": "0x1003\n", "carrier": "1\n", "ifindex": "2\n"},
        "eth1": {"mtu": "9000\n", "flags": "0x1002\n", "ifindex": "3\n"},
    }.items():
        (tmp_path / name).mkdir()
        for file, text in files.items():
            (tmp_path / name / file).write_text(text)
    (tmp_path / "bonding_masters").write_text("")
    shown = '[{"ifname":"eth0","addr_info":[{"local":"10.0.0.1","dynamic":true},{"local":"10.0.0.2"}]}]'
    assert links.links(FakeHost({"ip": shown}), str(tmp_path)) == {
        "eth0": {"mtu": 1450, "up": True, "carrier": True, "networkmanager": False, "lent": ["10.0.0.1"]},
        "eth1": {"mtu": 9000, "up": False, "carrier": False, "networkmanager": False, "lent": []},
    }


def test_the_locale_is_read_where_it_is_set_and_a_link_counts_once(tmp_path: Path) -> None:
    real, link = tmp_path / "locale.conf", tmp_path / "locale"
    real.write_text('# x\nLANG="de_DE.UTF-8"\nLC_ALL=\nexport LC_TIME=C\n')
    link.symlink_to(real)
    assert system.locales([str(link), str(real), str(tmp_path / "none")]) == {
        str(real): {"LANG": "de_DE.UTF-8", "LC_TIME": "C"}
    }


def test_the_umask_of_services_is_that_of_the_last_drop_in_for_all(tmp_path: Path) -> None:
    assert system.services_umask([str(tmp_path)]) == ("0022", "")
    (tmp_path / "10.conf").write_text("[Service]\nUMask=027\n")
    (tmp_path / "20.conf").write_text("[Service]\nPrivateTmp=yes\n")
    assert system.services_umask([str(tmp_path)]) == ("0027", str(tmp_path / "10.conf"))


def test_kernels_are_found_by_their_images_but_for_the_rescue_one(tmp_path: Path) -> None:
    modules, boot = tmp_path / "modules", tmp_path / "boot"
    (modules / "6.1.0-1").mkdir(parents=True)
    (modules / "6.1.0-1" / "vmlinuz").touch()
    (modules / "5.0.0-1").mkdir()
    boot.mkdir()
    for name in ("vmlinuz-6.2.0-1", "vmlinuz-0-rescue-abc", "initrd.img-6.9.0"):
        (boot / name).touch()
    assert system.kernels(str(modules), str(boot)) == ["6.1.0-1", "6.2.0-1"]


def test_this_machine_has_random_numbers() -> None:
    assert system.has_random()


def test_proxies_of_systemd_are_read_from_quoted_assignments() -> None:
    text = '[Manager]\nDefaultEnvironment="HTTP_PROXY=http://p:1" no_proxy=a,b \\\n  LANG=C\n'
    assert proxy_settings.parse_manager(text, "DefaultEnvironment") == {"HTTP_PROXY": "http://p:1", "no_proxy": "a,b"}


def test_a_proxy_is_told_without_its_address_which_may_hold_a_login(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "environment"
    path.write_text("https_proxy=http://me:secret@p:1\nno_proxy='a, b'\n")
    monkeypatch.setattr(proxy_settings, "LOGIN_FILES", (str(path),))
    monkeypatch.setattr(proxy_settings, "MANAGER_FILES", ())
    monkeypatch.setattr(proxy_settings, "SERVICE_FOLDERS", ())
    told = [entry for entry in proxy_settings.proxy_settings() if entry["path"] == str(path)]
    assert told == [{"path": str(path), "services": False, "proxy": ["https_proxy"], "no_proxy": ["a", "b"]}]


def test_lines_of_the_hosts_file_are_told_but_for_pystacks_own(tmp_path: Path) -> None:
    path = tmp_path / "hosts"
    path.write_text(f"# x\n10.0.0.9 One one\n{host_entry.BEGIN}\n10.0.0.1 two\n{host_entry.END}\n")
    assert hosts_file.hosts_file(str(path)) == [
        {"number": 2, "text": "10.0.0.9 One one", "address": "10.0.0.9", "names": ["one", "one"]}
    ]
