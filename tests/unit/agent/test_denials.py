"""What SELinux denied: read from lines of real logs, and whose it was."""

from __future__ import annotations

from pathlib import Path

import pytest

from installer.agent import denials, selinux
from tests.unit.resources.fake_host import FakeHost

NOBODY, ADMIN = denials.NOBODY, "0"
LOG = """\
----
type=AVC msg=audit(100.100:7): avc:  denied  { write } for  pid=9 comm="beam.smp" name="x.log" dev="vda" ino=7 scontext=system_u:system_r:rabbitmq_beam_t:s0 tcontext=system_u:object_r:rabbitmq_var_log_t:s0 tclass=file permissive=0
type=SYSCALL msg=audit(100.100:7): arch=c000003e syscall=257 success=no exit=-13 ppid=1 pid=9 auid=4294967295 uid=106 comm="beam.smp" exe="/usr/bin/beam.smp"
type=AVC msg=audit(100.200:8): avc:  denied  { read open } for  pid=9 comm="beam.smp" name="x.log" dev="vda" ino=7 scontext=system_u:system_r:rabbitmq_beam_t:s0 tcontext=system_u:object_r:rabbitmq_var_log_t:s0 tclass=file permissive=0
type=AVC msg=audit(50.000:5): avc:  denied  { execute } for  pid=4 comm="beam.smp" path=2F6D656D66643A scontext=system_u:system_r:rabbitmq_beam_t:s0 tcontext=system_u:object_r:tmpfs_t:s0 tclass=file permissive=0
type=AVC msg=audit(101.000:9): avc:  denied  { name_bind } for  pid=9 comm="haproxy" src=5000 scontext=system_u:system_r:haproxy_t:s0 tcontext=system_u:object_r:commplex_main_port_t:s0 tclass=tcp_socket permissive=1
type=AVC msg=audit(102.000:10): avc:  denied  { search } for  pid=9 comm="lvs" name="modules" scontext=unconfined_u:unconfined_r:lvm_t:s0-s0:c0.c1023 tcontext=system_u:object_r:modules_object_t:s0 tclass=dir permissive=0
type=SYSCALL msg=audit(102.000:10): arch=c000003e syscall=257 success=no exit=-13 ppid=1 pid=9 auid=0 uid=0 comm="lvs"
type=AVC msg=audit(103.000:11): avc:  denied  { read } for  pid=9 comm="agetty" name="/" scontext=system_u:system_r:getty_t:s0 tcontext=system_u:object_r:tmpfs_t:s0 tclass=dir permissive=0
"""  # noqa: E501 - lines of a log
OURS = {"rabbitmq_beam_t": 90.0, "haproxy_t": 90.0, "lvm_t": 90.0}


def test_what_services_were_denied_since_they_started_is_told_once_with_all_that_they_asked_for() -> None:
    found = denials.of_services(denials.parse(LOG), OURS)
    assert [(one.program, one.permissions, one.what, one.enforced) for one in found] == [
        ("beam.smp", ("open", "read", "write"), "x.log", True),
        ("haproxy", ("name_bind",), "port 5000", False),
    ]


def test_the_kernels_own_log_is_read_as_well() -> None:
    line = (
        'audit: type=1400 audit(100.430:4): avc:  denied  { create } for  pid=780 comm="lvm" name="control" '
        "scontext=system_u:system_r:lvm_t:s0 tcontext=system_u:object_r:lvm_control_t:s0 tclass=chr_file permissive=0"
    )
    ((denial, login),) = denials.parse(line)
    assert (denial.time, denial.source, denial.target, denial.what, login) == (
        100.43,
        "lvm_t",
        "lvm_control_t",
        "control",
        None,
    )


def test_a_login_that_runs_what_services_run_is_not_a_service() -> None:
    logins = [login for _, login in denials.parse(LOG)]
    assert logins == [NOBODY, None, None, None, ADMIN, None]


def test_services_are_known_by_the_types_of_their_processes_and_helpers_by_name(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    shown = (
        "ControlGroup=/a.service\nActiveState=active\nInactiveExitTimestamp=@70\n\n"
        "ControlGroup=/b.service\nActiveState=active\nInactiveExitTimestamp=@60\n\n"
        "ControlGroup=\nActiveState=inactive\nInactiveExitTimestamp=\n"
    )
    monkeypatch.setattr(
        denials, "_running_in", lambda group: iter({"/a.service": ["a_t"], "/b.service": ["b_t", "a_t"]}[group])
    )
    found = denials.domains(FakeHost({"systemctl show": shown}))
    assert (found["a_t"], found["b_t"], found["lvm_t"]) == (60.0, 60.0, 60.0)


def test_a_host_without_selinux_has_nothing_to_tell(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(selinux, "mode", lambda: "absent")
    assert denials.denials(FakeHost()) == {"mode": "absent", "found": [], "log": ""}


def test_without_auditd_the_kernels_log_is_asked(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(selinux, "mode", lambda: "enforcing")
    monkeypatch.setattr(denials, "domains", lambda host: OURS)
    for ausearch, told in (((127, "", ""), "kernel's log"), ((1, "", "<no matches>"), "audit log"), (LOG, "audit log")):
        host = FakeHost({"ausearch": ausearch, "journalctl": ""})
        assert denials.denials(host)["log"] == told


def test_what_was_denied_a_moment_ago_is_told_with_a_failure(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(selinux, "mode", lambda: "enforcing")
    monkeypatch.setattr("time.time", lambda: 101.5 + denials.RECENT)
    log = LOG.replace("permissive=1", "permissive=0")
    told = denials.recent(FakeHost({"ausearch": log}))
    assert told == ["SELinux denied agetty (getty_t) read of dir / (tmpfs_t)"]
    monkeypatch.setattr("time.time", lambda: 99.0 + denials.RECENT)
    assert len(denials.recent(FakeHost({"ausearch": log}))) == 4
