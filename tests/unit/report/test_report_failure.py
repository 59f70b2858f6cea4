"""A failure on one screen."""

import pytest

from installer.outcome import RoleResult
from installer.report.failure import full, one_screen

KEPT = "/root/.local/state/pystack/runs/20261122-140907-install-0000/failure.txt"


def failed(host="h1", role="keystone", **failure):
    return RoleResult(host, role, "failed", ["file:/a"], 3, 12.0, failure)


def command(code=1, out=0, err=0):
    return {
        "argv": ["systemctl", "start", "openstack-keystone it's"],
        "code": code,
        "out": [f"out {n}" for n in range(out)],
        "err": [f"err {n}" for n in range(err)],
    }


def text(lines):
    return "\n".join(line for line, _ in lines)


def test_a_failure_names_what_where_which_command_why_and_what_to_do():
    shown = text(
        one_screen(
            [
                failed(
                    resource="unit:openstack-keystone",
                    message="it stops",
                    command=command(err=2),
                    diagnosis=["boom"],
                )
            ],
            KEPT,
        )
    )
    assert shown == (
        "FAILED  h1: role keystone, after 12 s\n"
        "  resource   unit:openstack-keystone\n"
        "  problem    it stops\n"
        "  command    systemctl start 'openstack-keystone it'\"'\"'s'\n"
        "  exit code  1\n"
        "  standard error\n"
        "    err 0\n"
        "    err 1\n"
        "  diagnosis\n"
        "    boom\n"
        "remedy: correct what stands above, unless it has passed; then run the same\n"
        "command again: it carries on from here\n"
        f"in full: {KEPT}"
    )


@pytest.mark.parametrize("others", [0, 1, 30])
@pytest.mark.parametrize("width", [80, 132])
def test_it_takes_one_screen_whatever_there_is_to_tell(others, width):
    huge = failed(
        resource="file:/" + "x" * 300,
        message="line\n" * 50,
        command=command(out=10, err=10),
        diagnosis=["d" * 500] * 40,
        traceback=["t"] * 12,
        remedy="do this and that; " * 20,
    )
    shown = one_screen(
        [huge, *[failed(host=f"h{n}", resource="unit:x", message="m") for n in range(others)]], KEPT, width
    )
    assert len(shown) <= 22
    assert all(len(line) <= width for line, _ in shown[:-1])
    assert shown[-1][0] == f"in full: {KEPT}"
    assert any("err 9" in line for line, _ in shown)
    assert any("remedy" in line for line, _ in shown)


def test_the_ends_of_the_streams_are_shown_not_their_beginnings():
    shown = text(one_screen([failed(message="m", command=command(out=10, err=10), diagnosis=["d"] * 30)], KEPT))
    assert "err 9" in shown
    assert "out 9" in shown
    assert "err 0" not in shown
    assert "standard error (last " in shown


def test_a_signal_is_called_one():
    assert "exit code  -9 (ended by signal 9)" in text(one_screen([failed(message="m", command=command(-9))], KEPT))


def test_a_lost_link_shows_its_own_remedy():
    shown = text(one_screen([failed(message="h1: the link was lost", remedy="look at the network")], KEPT, 132))
    assert "remedy: look at the network; then run the same command again: it carries on from here" in shown


def test_the_journal_gets_everything_of_every_failure():
    kept = full(
        [
            failed(message="m", command=command(out=10, err=10), diagnosis=["d" * 300]),
            failed(host="h2", message="other"),
        ]
    )
    assert all(f"out {n}" in kept and f"err {n}" in kept for n in range(10))
    assert "d" * 300 in kept
    assert "FAILED  h2" in kept
