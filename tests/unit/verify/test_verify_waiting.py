"""Waiting: it tells what for, it ends, and a moment's fault of a service is no end."""

import pytest
import requests
from keystoneauth1 import exceptions
from openstack.exceptions import HttpException

from installer.verify.live import Live
from installer.verify.waiting import TELL_EVERY, TimedOut, until


def refusal(status, text):
    answer = requests.Response()
    answer.status_code = status
    return HttpException(text, response=answer)


class Time:
    """A clock that only sleeping moves."""

    def __init__(self):
        self.now = 0.0

    def __call__(self):
        return self.now

    def sleep(self, seconds):
        self.now += seconds


@pytest.fixture
def time():
    return Time()


def wait(time, look, seconds=60.0):
    told = []
    return until("rain", seconds, look, told.append, clock=time, sleep=time.sleep), told


def test_what_is_there_already_is_not_waited_for(time):
    assert wait(time, lambda: ("wet", "")) == ("wet", [])
    assert time.now == 0


def test_it_tells_what_it_waits_for_since_when_and_what_it_sees(time):
    result, told = wait(time, lambda: ("wet" if time.now >= 3 * TELL_EVERY else None, f"cloud {time.now:.0f}"))
    assert result == "wet"
    assert told[0] == "waiting for rain: 0 s (cloud 0)"
    assert len(told) == 3


def test_it_ends_and_says_what_it_saw_last(time):
    with pytest.raises(TimedOut, match="waited 60 s for rain; last seen: sun"):
        wait(time, lambda: (None, "sun"))
    assert 60 <= time.now < 65


def live(listen):
    return Live(None, (), authority=None, connect=None, listen=listen, folder=None, records=None, check="instance")


@pytest.mark.parametrize(
    "fault",
    [refusal(503, "later"), exceptions.ConnectFailure("nobody there")],
    ids=["503", "no connection"],
)
def test_a_service_that_does_not_answer_for_a_moment_is_waited_for(fault, monkeypatch):
    monkeypatch.setattr("installer.verify.waiting.LOOK_EVERY", 0.0)
    events, answers = [], iter([fault, ("done", "")])

    def look():
        answer = next(answers)
        if isinstance(answer, Exception):
            raise answer
        return answer

    assert live(events.append).wait("it", 5, look) == "done"
    [event] = events
    assert (event["event"], event["host"], event["step"]) == ("progress", "", "instance")
    assert str(fault) in event["text"]


def test_what_a_service_refuses_is_not_waited_for():
    def look():
        raise refusal(403, "never")

    with pytest.raises(HttpException, match="never"):
        live(lambda event: None).wait("it", 5, look)
