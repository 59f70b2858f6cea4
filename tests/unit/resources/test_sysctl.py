from __future__ import annotations

import os
from pathlib import Path

import pytest

from installer.agent.apply import Step, apply
from installer.agent.host import Host
from installer.resources import sysctl
from installer.resources.base import CannotFix
from installer.resources.sysctl import Sysctl
from tests.unit.resources.fake_host import FakeHost


@pytest.fixture
def root(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Return a file system with two kernel parameters."""
    for key, value in (("net/ipv4/ip_forward", "0\n"), ("net/ipv4/tcp_rmem", "4096\t131072\t6291456\n")):
        path = tmp_path / "proc/sys" / key
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(value)
    (tmp_path / "etc/sysctl.d").mkdir(parents=True)
    monkeypatch.setattr(sysctl, "ROOT", tmp_path)
    monkeypatch.setattr(sysctl, "write_atomically", lambda path, data, *_: Path(path).write_bytes(data))
    return tmp_path


@pytest.mark.parametrize(
    ("key", "path"),
    [
        ("net.ipv4.ip_forward", "net/ipv4/ip_forward"),
        ("net/ipv4/conf/eth0.100/rp_filter", "net/ipv4/conf/eth0.100/rp_filter"),
        ("net.ipv4.conf.eth0/100.rp_filter", "net/ipv4/conf/eth0.100/rp_filter"),
        ("kernel", "kernel"),
    ],
)
def test_where_a_key_is(key: str, path: str) -> None:
    assert sysctl.proc_path(key) == path


def test_a_sysctl_file_is_read_as_systemd_does() -> None:
    lines = ["# c", "; c", "", "-net.ipv4.conf.all.rp_filter = 2", "a.b=1", "a.b =  2\t3", "-net.only.excluded", "=x"]
    assert sysctl.parse(lines) == [
        ("net.ipv4.conf.all.rp_filter", "2"),
        ("a.b", "1"),
        ("a.b", "2 3"),
        ("", "x"),
    ]


def test_it_is_set_now_and_at_boot_and_a_second_time_nothing_changes(root: Path) -> None:
    items = (Sysctl("net.ipv4.tcp_rmem", "4096 87380 1"), Sysctl("net.ipv4.ip_forward", "1"))
    result = apply(Step("base", items), Host(), lambda event: None, lambda: False)
    assert result["changed"] == [item.id for item in items], result
    assert (root / sysctl.FILE).read_text() == (
        "# Kept by pystack: what OpenStack needs of the kernel.\n"
        "net.ipv4.ip_forward = 1\nnet.ipv4.tcp_rmem = 4096 87380 1\n"
    )
    assert apply(Step("base", items), Host(), lambda event: None, lambda: False)["changed"] == []


def test_what_another_role_has_set_stays(root: Path) -> None:
    (root / sysctl.FILE).write_text("vm.swappiness = 10\n")
    Sysctl("net.ipv4.ip_forward", "1").fix(None, FakeHost())
    assert "vm.swappiness = 10\n" in (root / sysctl.FILE).read_text()


def test_a_file_of_the_operator_is_enough(root: Path) -> None:
    (root / "proc/sys/net/ipv4/ip_forward").write_text("1\n")
    (root / "etc/sysctl.d/50-router.conf").write_text("net/ipv4/ip_forward=1\n")
    item = Sysctl("net.ipv4.ip_forward", "1")
    assert Sysctl.query([item], FakeHost()) == {item.id: item.expected()}


def test_a_later_file_that_says_otherwise_is_named(root: Path) -> None:
    (root / "etc/sysctl.d/99-local.conf").write_text("net.ipv4.ip_forward = 0\n")
    with pytest.raises(CannotFix, match=r"/etc/sysctl.d/99-local.conf sets net.ipv4.ip_forward to 0 at boot"):
        Sysctl("net.ipv4.ip_forward", "1").fix(None, FakeHost())


def test_a_file_in_etc_hides_one_of_its_name_elsewhere(root: Path) -> None:
    (root / "usr/lib/sysctl.d").mkdir(parents=True)
    (root / "usr/lib/sysctl.d/99-x.conf").write_text("net.ipv4.ip_forward = 0\n")
    (root / "etc/sysctl.d/99-x.conf").symlink_to("/dev/null")
    Sysctl("net.ipv4.ip_forward", "1").fix(None, FakeHost())
    assert sysctl.settings_at_boot()["net/ipv4/ip_forward"].value == "1"


def test_a_parameter_that_this_kernel_has_not_is_explained(root: Path) -> None:
    with pytest.raises(CannotFix, match=r"kernel has no net\.bridge\.bridge-nf-call-iptables.*br_netfilter"):
        Sysctl("net.bridge.bridge-nf-call-iptables", "1").fix(None, FakeHost())


def test_a_read_only_proc_is_explained(root: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*_: object, **__: object) -> None:
        raise OSError(30, os.strerror(30))

    monkeypatch.setattr(Path, "write_text", refuse)
    with pytest.raises(CannotFix, match=r"cannot be set to 1: Read-only file system; in a container"):
        Sysctl("net.ipv4.ip_forward", "1").fix(None, FakeHost())
