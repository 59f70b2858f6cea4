"""What SELinux denied: read from lines of real logs, and whose it was."""

from __future__ import annotations

from pathlib import Path

import pytest

from installer.agent import denials, selinux
from installer.agent.denials import Services
from tests.unit.resources.fake_host import FakeHost

LOG = """\
----
type=AVC msg=audit(100.100:7): avc:  denied  { write } for  pid=9 comm="beam.smp" name="x.log" dev="vda" ino=7 scontext=system_u:system_r:rabbitmq_beam_t:s0 tcontext=system_u:object_r:rabbitmq_var_log_t:s0 tclass=file permissive=0
type=SYSCALL msg=audit(100.100:7): arch=c000003e syscall=257 success=no exit=-13 ppid=1 pid=9 auid=4294967295 uid=106 comm="beam.smp" exe="/usr/bin/beam.smp"
type=AVC msg=audit(100.200:8): avc:  denied  { read open } for  pid=9 comm="beam.smp" name="x.log" dev="vda" ino=7 scontext=system_u:system_r:rabbitmq_beam_t:s0 tcontext=system_u:object_r:rabbitmq_var_log_t:s0 tclass=file permissive=0
type=AVC msg=audit(50.000:5): avc:  denied  { execute } for  pid=4 comm="beam.smp" path=2F6D656D66643A scontext=system_u:system_r:rabbitmq_beam_t:s0 tcontext=system_u:object_r:tmpfs_t:s0 tclass=file permissive=0
type=AVC msg=audit(101.000:9): avc:  denied  { name_bind } for  pid=9 comm="haproxy" src=5000 scontext=system_u:system_r:haproxy_t:s0 tcontext=system_u:object_r:commplex_main_port_t:s0 tclass=tcp_socket permissive=1
type=AVC msg=audit(102.000:10): avc:  denied  { search } for  pid=9 comm="lvs" name="modules" scontext=system_u:system_r:lvm_t:s0 tcontext=system_u:object_r:modules_object_t:s0 tclass=dir permissive=0
type=SYSCALL msg=audit(102.000:10): arch=c000003e syscall=257 success=no exit=-13 ppid=1 pid=9 auid=4294967295 uid=0 comm="lvs"
type=AVC msg=audit(102.500:12): avc:  denied  { read } for  pid=9 comm="lvcreate" name="modules.builtin" scontext=system_u:system_r:lvm_t:s0 tcontext=system_u:object_r:modules_dep_t:s0 tclass=file permissive=0
type=SYSCALL msg=audit(102.500:12): arch=c000003e syscall=257 success=no exit=-13 ppid=77 pid=9 auid=4294967295 uid=0 comm="lvcreate"
type=AVC msg=audit(102.700:13): avc:  denied  { read } for  pid=9 comm="beam.smp" name="y" scontext=unconfined_u:unconfined_r:rabbitmq_beam_t:s0-s0:c0.c1023 tcontext=system_u:object_r:etc_t:s0 tclass=file permissive=0
type=AVC msg=audit(102.800:14): avc:  denied  { read } for  pid=9 comm="beam.smp" name="z" scontext=system_u:system_r:rabbitmq_beam_t:s0 tcontext=system_u:object_r:etc_t:s0 tclass=file permissive=0
type=SYSCALL msg=audit(102.800:14): arch=c000003e syscall=257 success=no exit=-13 ppid=77 pid=9 auid=0 uid=0 comm="beam.smp"
type=AVC msg=audit(103.000:11): avc:  denied  { read } for  pid=9 comm="agetty" name="/" scontext=system_u:system_r:getty_t:s0 tcontext=system_u:object_r:tmpfs_t:s0 tclass=dir permissive=0
type=USER_AVC msg=audit(104.000:15): pid=1 uid=0 auid=4294967295 ses=4294967295 subj=system_u:system_r:init_t:s0 msg='avc:  denied  { status } for auid=n/a uid=0 gid=0 path="/run/x.service" cmdline="" function="mac_selinux_filter" scontext=system_u:system_r:memcached_t:s0 tcontext=system_u:system_r:init_t:s0 tclass=system permissive=0 exe="/usr/lib/systemd/systemd"'
"""  # noqa: E501 - lines of a log
#: cinder-volume is 77.
OURS = Services({"rabbitmq_beam_t": 90.0, "haproxy_t": 90.0, "memcached_t": 90.0}, {"9", "77"}, [])


def test_what_services_were_denied_since_they_started_is_told_once_with_all_that_they_asked_for() -> None:
    found = denials.of_services(denials.parse(LOG), OURS)
    assert [(one.program, one.permissions, one.what, one.enforced) for one in found] == [
        ("beam.smp", ("open", "read", "write"), "x.log", True),
        ("haproxy", ("name_bind",), "port 5000", False),
        ("lvcreate", ("read",), "modules.builtin", True),
        ("/usr/lib/systemd/systemd", ("status",), "/run/x.service", True),
    ]


def test_a_program_that_anybody_may_start_is_a_services_if_that_started_it() -> None:
    nobodys = denials.of_services(denials.parse(LOG), OURS._replace(processes={"9"}))
    assert "lvcreate" not in [one.program for one in nobodys]


def test_the_kernels_own_log_is_read_as_well() -> None:
    line = (
        'audit: type=1400 audit(100.430:4): avc:  denied  { create } for  pid=780 comm="lvm" name="control" '
        "scontext=ROLE:lvm_t:s0 tcontext=system_u:object_r:lvm_control_t:s0 tclass=chr_file permissive=0"
    )
    ((denial, by_system, parent),) = denials.parse(line.replace("ROLE", "system_u:system_r"))
    assert (denial.time, denial.source, denial.target, denial.what) == (100.43, "lvm_t", "lvm_control_t", "control")
    assert (by_system, parent) == (True, None)
    assert not denials.parse(line.replace("ROLE", "unconfined_u:unconfined_r"))[0].by_system


def test_services_are_known_by_the_types_of_their_processes_since_the_last_of_their_units_started(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    shown = (
        "Id=a.service\nControlGroup=/a.service\nActiveState=active\nInactiveExitTimestamp=@70\n\n"
        "Id=b.service\nControlGroup=/b.service\nActiveState=active\nInactiveExitTimestamp=@60\n\n"
        "Id=c.service\nControlGroup=\nActiveState=failed\nInactiveExitTimestamp=@50\n\n"
        "Id=d.service\nControlGroup=\nActiveState=inactive\nInactiveExitTimestamp=\n"
    )
    running = {"/a.service": {"1": "a_t"}, "/b.service": {"2": "b_t", "3": "a_t"}}
    monkeypatch.setattr(denials, "_running_in", running.__getitem__)
    found = denials._services(FakeHost({"systemctl show": shown}))
    assert found == Services({"a_t": 70.0, "b_t": 60.0}, {"1", "2", "3"}, ["c.service"])


def test_processes_of_a_unit_are_found_in_all_its_control_groups(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(denials, "CONTROL_GROUPS", str(tmp_path))
    for folder, number in (("a.service", "1"), ("a.service/inner", "2"), ("b.service", "3")):
        (tmp_path / folder).mkdir()
        (tmp_path / folder / "cgroup.procs").write_text(f"{number}\n")
    monkeypatch.setattr(
        denials, "text_of", lambda path: Path(path).read_text() if "cgroup" in path else f"u:r:{path}:s0\0"
    )
    assert denials._running_in("/a.service") == {"1": "/proc/1/attr/current", "2": "/proc/2/attr/current"}


def test_a_host_without_selinux_has_nothing_to_tell(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(selinux, "mode", lambda: "absent")
    assert denials.denials(FakeHost())["found"] == []


@pytest.mark.parametrize(
    ("ausearch", "told"),
    [
        ((127, "", "not found"), "kernel's log"),
        ((1, "", "Error opening /var/log/audit/audit.log (No such file or directory)"), "kernel's log"),
        ((1, "", ""), "audit log"),
        (LOG, "audit log"),
    ],
)
def test_without_auditd_the_kernels_log_is_asked(monkeypatch: pytest.MonkeyPatch, ausearch: object, told: str) -> None:
    monkeypatch.setattr(selinux, "mode", lambda: "enforcing")
    monkeypatch.setattr(denials, "_services", lambda host: OURS)
    assert denials.denials(FakeHost({"ausearch": ausearch, "journalctl": ""}))["log"] == told


def test_what_was_denied_a_moment_ago_is_told_with_a_failure(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(selinux, "mode", lambda: "enforcing")
    monkeypatch.setattr("time.time", lambda: 102.9 + denials.RECENT)
    told = denials.recent(FakeHost({"ausearch": LOG}))
    assert told[0] == "SELinux denied agetty (getty_t) read of dir / (tmpfs_t)"
    assert len(told) == 2
    monkeypatch.setattr("time.time", lambda: 40.0 + denials.RECENT)
    assert len(denials.recent(FakeHost({"ausearch": LOG}))) == denials.SHOWN
