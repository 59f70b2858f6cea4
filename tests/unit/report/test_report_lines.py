"""Events as lines of text and of JSON."""

import io
import json
from datetime import datetime
from pathlib import Path

import pytest
import yaml

from installer.report import Composite, Quiet
from installer.report.json_lines import JsonLines
from installer.report.lines import Plain
from installer.report.words import clean, clock, seconds
from installer.resources.secret import Secret

CASES = yaml.safe_load(Path(__file__).with_name("lines.yaml").read_text())


class Page:
    def __init__(self):
        self.lines = []

    def line(self, text, style=""):
        self.lines.append(text)


@pytest.mark.parametrize("case", CASES, ids=lambda case: str(case["event"]))
def test_an_event_is_worth_its_line_and_the_time(case):
    page = Page()
    Plain(page, lambda: datetime(2026, 11, 22, 14, 3, 7)).take(case["event"])
    assert page.lines == ([f"14:03:07 {case['line']}"] if "line" in case else [])


@pytest.mark.parametrize("event", [case["event"] for case in CASES], ids=str)
def test_json_holds_every_event_as_it_came(event):
    stream = io.StringIO()
    JsonLines(stream).take(event)
    assert [json.loads(line) for line in stream.getvalue().splitlines()] == [event]


def test_a_secret_that_got_into_an_event_is_masked_in_json():
    stream = io.StringIO()
    JsonLines(stream).take({"event": "resource", "lines": [Secret("hunter22")]})
    assert json.loads(stream.getvalue())["lines"] == ["********"]


def test_listeners_of_a_closed_report_are_still_told_but_the_terminal_is_left_alone():
    told, page = [], Page()
    report = Composite(Plain(page), [told.append])
    report.close()
    report.take({"event": "phase", "name": "install"})
    assert len(told) == 1
    assert page.lines == []


def test_masking_comes_before_all_listeners():
    told = []
    Composite(Quiet(), [told.append], lambda event: {"event": "masked"}).take({"event": "phase"})
    assert told == [{"event": "masked"}]


@pytest.mark.parametrize(
    ("value", "text"),
    [(0, "0.0 s"), (9.94, "9.9 s"), (9.96, "10 s"), (59.6, "1 min 00 s"), (185, "3 min 05 s"), (3720, "1 h 02 min")],
)
def test_a_duration_reads_as_people_say_it(value, text):
    assert seconds(value) == text


@pytest.mark.parametrize(("value", "text"), [(0.9, "0:00"), (61, "1:01"), (3723, "1:02:03")])
def test_a_running_clock_keeps_its_width(value, text):
    assert clock(value) == text


@pytest.mark.parametrize(
    ("foreign", "shown"),
    [
        ("\x1b]0;title\x07text", "text"),
        ("\x1b[2Jgone", "gone"),
        ("a\tb", "a   b"),
        ("bell\x07", "bell·"),
        ("\x9b31m", "·31m"),
        ("line\u2028break", "line·break"),
        ("größer ✓ 日本", "größer ✓ 日本"),
    ],
)
def test_what_a_host_says_cannot_command_the_terminal(foreign, shown):
    assert clean(foreign) == shown
