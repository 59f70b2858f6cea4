"""The live view, drawn on a terminal of 80 columns and 24 lines that is a string."""

import io

import pytest
from rich.console import Console

from installer.report.live import LiveView
from installer.report.view import View

STREAM = [
    (0, {"event": "phase", "name": "connect"}),
    (0, {"event": "host", "host": "192.0.2.1", "what": "connecting"}),
    (1, {"event": "host", "host": "192.0.2.1", "what": "connected"}),
    (2, {"event": "phase", "name": "install", "changes": 7, "steps": 3}),
    (2, {"event": "step", "host": "192.0.2.1", "step": "packages", "what": "started"}),
    (3, {"event": "progress", "host": "192.0.2.1", "step": "packages", "text": "Unpacking mariadb-server"}),
    (4, {"event": "step", "host": "192.0.2.1", "step": "tls", "what": "started"}),
    (5, {"event": "resource", "host": "192.0.2.1", "step": "tls", "resource": "file:/etc/ca.crt", "what": "fixing"}),
    (6, {"event": "resource", "host": "192.0.2.1", "step": "tls", "resource": "file:/etc/ca.crt", "what": "changed"}),
]


class Clock:
    now = 0.0

    def __call__(self):
        return self.now


def drawn(events, until, width=80, height=24):
    clock = Clock()
    console = Console(file=io.StringIO(), width=width, height=height, force_terminal=True, color_system=None)
    live = LiveView(console, clock)
    for at, event in events:
        clock.now = at
        live._view.take(event, at)
    clock.now = until
    page = Console(file=io.StringIO(), width=width, height=height, color_system=None)
    page.print(live.render())
    return [line.rstrip() for line in page.file.getvalue().splitlines()]


def test_the_view_shows_who_does_what_since_when_and_how_far_the_run_is():
    assert drawn(STREAM, 67) == [
        "host       role      doing                                                  time",
        "192.0.2.1  packages  Unpacking mariadb-server                               1:05",
        "192.0.2.1  tls       file:/etc/ca.crt                                       1:03",
        "1:07 · installing · 1 host · 0 of 3 roles · 1 changed",
    ]


def test_what_has_ended_leaves_the_view():
    ended = [
        *STREAM,
        (8, {"event": "step", "host": "192.0.2.1", "step": "tls", "what": "converged"}),
        (9, {"event": "step", "host": "192.0.2.1", "step": "packages", "what": "failed"}),
    ]
    assert drawn(ended, 10) == ["0:10 · installing · 1 host · 2 of 3 roles · 1 changed · 1 failed"]


def test_a_check_of_the_verification_shows_what_it_waits_for_until_it_ends():
    checking = [
        (0, {"event": "phase", "name": "verify"}),
        (1, {"event": "check", "check": "attached-volume", "what": "started"}),
        (3, {"event": "progress", "host": "", "step": "attached-volume", "text": "waiting for volume: 2 s"}),
    ]
    assert drawn(checking, 4)[1:] == [
        "      attached-volume  waiting for volume: 2 s                              0:03",
        "0:04 · verifying the cloud",
    ]
    assert len(drawn([*checking, (5, {"event": "check", "check": "attached-volume", "what": "ended"})], 6)) == 1


def test_before_any_role_the_hosts_that_are_waited_for_are_shown():
    assert drawn(STREAM[:2], 4)[1].split() == ["192.0.2.1", "connecting", "0:04"]


@pytest.mark.parametrize("height", [10, 24])
def test_many_hosts_fit_the_screen_and_the_rest_is_counted(height):
    events = [(0, {"event": "step", "host": f"192.0.2.{n}", "step": "base", "what": "started"}) for n in range(1, 51)]
    lines = drawn(events, 1, height=height)
    assert len(lines) < height
    shown = sum(line.startswith("192.0.2.") for line in lines)
    assert f"and {50 - shown} more at work" in lines


def test_long_names_are_cut_and_never_wrapped():
    events = [
        (0, {"event": "step", "host": "controller-one.datacentre.example.org", "step": "openstack", "what": "started"}),
        (
            0,
            {
                "event": "progress",
                "host": "controller-one.datacentre.example.org",
                "step": "openstack",
                "text": "x" * 500,
            },
        ),
    ]
    lines = drawn(events, 1)
    assert len(lines) == 3
    assert all(len(line) <= 80 for line in lines)


def test_the_time_of_a_role_counts_from_its_start():
    view = View(0.0)
    for at, event in STREAM:
        view.take(event, at)
    rows, more = view.rows(10.0, 1)
    assert [(row.role, row.seconds) for row in rows] == [("packages", 8.0)]
    assert more == 1


def test_on_the_terminal_ended_roles_scroll_and_the_view_goes_away_at_the_end():
    console = Console(file=io.StringIO(), width=80, height=24, force_terminal=True, color_system=None)
    live = LiveView(console, Clock())
    for _, event in [
        *STREAM,
        (8, {"event": "progress", "host": "192.0.2.1", "step": "packages", "text": "scripts failed: a", "stays": True}),
        (9, {"event": "step", "host": "192.0.2.1", "step": "tls", "what": "converged", "changed": 1}),
    ]:
        live.take(event)
    live.rest()
    output = console.file.getvalue()
    assert "✓ 192.0.2.1: tls: 1 changed, 0 unchanged (0.0 s)" in output
    assert "192.0.2.1: packages: scripts failed: a" in output
    assert "file:/etc/ca.crt\n" not in output
    assert output.rstrip().endswith("\x1b[2K")
    assert "\x1b[?25h" in output
