"""Findings, plan and summary as text."""

from installer.outcome import Change, Finding, RoleResult, Summary
from installer.report import tables


def text(lines):
    return "\n".join(line for line, _ in lines)


def test_findings_show_failures_first_with_why_and_remedy_and_count_the_good_news():
    found = [
        Finding("python", "success", "3.13", host="h1"),
        Finding("clock", "warn", "3 s off", "tokens expire early", "start chrony", "h2"),
        Finding("disk", "fail", "2 GiB free on /var", "images need room", "make room " * 9, "h1"),
    ]
    assert text(tables.findings(found)) == (
        "✗ h1: disk\n"
        "  found   2 GiB free on /var\n"
        "  why     images need room\n"
        "  remedy  make room make room make room make room make room make room make room\n"
        "          make room make room\n"
        "! h2: clock\n"
        "  found   3 s off\n"
        "  why     tokens expire early\n"
        "  remedy  start chrony\n"
        "preflight: 1 failed, 1 warning, 1 good"
    )


def test_what_is_the_same_on_several_hosts_is_told_once_with_commands_that_can_be_copied():
    command = "timedatectl set-ntp true " + "# long " * 20
    found = [
        Finding("time", "warn", "no source", "clocks drift", "start one", f"h{number}", commands=[command])
        for number in range(6)
    ]
    assert text(tables.findings([*found, Finding("time", "warn", "another", host="h9")])) == (
        "! h0, h1, h2, h3 and 2 more: time\n"
        "  found   no source\n"
        "  why     clocks drift\n"
        "  remedy  start one\n"
        f"  run     {command.rstrip()}\n"
        "! h9: time\n"
        "  found   another\n"
        "preflight: 0 failed, 7 warnings, 0 good"
    )


def test_findings_show_what_tells_more_and_count_what_was_left_out():
    found = [
        Finding("instance", "fail", "it does not boot", lines=["Booting...", "no \x1b[1mdisk"]),
        Finding("volumes", "skipped", "left out: CONFIG_CINDER_INSTALL=n"),
    ]
    assert text(tables.findings(found, title="verification")) == (
        "✗ instance\n"
        "  found   it does not boot\n"
        "          | Booting...\n"
        "          | no disk\n"
        "verification: 1 failed, 0 warnings, 0 good, 1 left out"
    )


def test_a_plan_is_a_diff_by_host_and_role_with_totals():
    changes = [
        Change("h1", "base", "file:/etc/hosts", "update", ["-192.0.2.1 old", "+192.0.2.1 new"]),
        Change("h1", "base", "user:stack", "create", ["+ shell: /bin/false", "+ password: ********"]),
        Change("h2", "base", "file:/etc/motd", "remove", ["- present"]),
    ]
    assert text(tables.plan(changes)) == (
        "h1\n"
        "  base\n"
        "    ~ file:/etc/hosts\n"
        "        -192.0.2.1 old\n"
        "        +192.0.2.1 new\n"
        "    + user:stack\n"
        "        + shell: /bin/false\n"
        "        + password: ********\n"
        "h2\n"
        "  base\n"
        "    - file:/etc/motd\n"
        "        - present\n"
        "1 to create, 1 to update, 1 to remove on 2 hosts"
    )


def test_what_cannot_be_known_yet_is_not_counted_as_a_creation():
    changes = [
        Change("h1", "mariadb", "unit:mariadb.service", "update", ["  active: no -> yes"]),
        Change("h1", "mariadb", "database:keystone", "unknown", ["  not known yet: mariadb does not run yet"]),
    ]
    shown = text(tables.plan(changes)).splitlines()
    assert "    ? database:keystone" in shown
    assert shown[-1] == "0 to create, 1 to update, 0 to remove, 1 not known yet, on 1 host"


def test_an_empty_plan_says_that_nothing_would_change():
    assert text(tables.plan([])) == "nothing would change: every host is as the answer file wants it"


RESULTS = (
    RoleResult("h1", "base", "converged", (), 12, 0.4),
    RoleResult("h1", "mariadb", "converged", ("a", "b"), 3, 75.0),
    RoleResult("h1", "keystone", "failed", ("c",), 0, 3.0),
    RoleResult("h1", "haproxy", "skipped"),
)


def test_a_summary_lists_the_roles_that_did_something_and_all_totals():
    assert text(tables.summary(Summary(RESULTS, 78.0))) == (
        "role      outcome    changed  unchanged        time\n"
        "mariadb   converged        2          3  1 min 15 s\n"
        "keystone  failed           1          0       3.0 s\n"
        "haproxy   skipped          0          0           -\n"
        "3 changed, 15 unchanged, 1 role failed, 1 skipped, in 1 min 18 s"
    )


def test_a_run_that_changed_nothing_is_one_line():
    assert text(tables.summary(Summary(RESULTS[:1], 1.25))) == "0 changed, 12 unchanged, in 1.2 s"


def test_with_several_hosts_the_summary_names_them():
    results = (*RESULTS[:2], RoleResult("h2", "mariadb", "converged", ("a",), 4, 7.0))
    shown = text(tables.summary(Summary(results, 78.0)))
    assert "h1: mariadb" in shown
    assert "h2: mariadb" in shown


def test_a_plan_says_what_a_host_runs():
    changes = [Change("h1", "base", "repository:crb", "update", ("  enabled: no -> yes",))]
    assert text(tables.plan(changes, {"h1": "Rocky Linux 9.6, handled as el-9"})).splitlines()[0] == (
        "h1 (Rocky Linux 9.6, handled as el-9)"
    )
