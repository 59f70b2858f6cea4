"""Hosts whose distribution takes the facts of another one: the operator is told before anything is changed."""

from types import SimpleNamespace

from installer.cli import steps
from installer.platforms import Platform, find


def test_relatives_are_named_with_what_they_are_handled_as_and_others_are_not():
    hosts = {"h1": Platform("el9", "9", "Rocky Linux 9.6 (Blue Onyx)", is_relative=True), "h2": find("debian-13")}
    run = SimpleNamespace(operation=SimpleNamespace(platforms=lambda: hosts))
    assert steps.relatives(run) == [("h1: Rocky Linux 9.6 (Blue Onyx), handled as el-9", "")]
