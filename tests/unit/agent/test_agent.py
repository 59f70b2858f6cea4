from __future__ import annotations

import io
import threading
from typing import Any

from installer.agent import wire
from installer.agent.main import Agent


def test_a_blob_is_asked_for_by_its_name_even_if_a_secret_is_part_of_it() -> None:
    digest = "12ab" * 16
    out = io.BytesIO()
    agent = Agent(lambda size: b"", wire.Writer(out))
    agent._secrets = ["12ab"]
    fetched: list[Any] = []
    waiting = threading.Thread(target=lambda: fetched.append(agent._fetch(digest)))
    waiting.start()
    while not out.getvalue():
        waiting.join(0.01)
    agent._keep_blob(digest, b"content")
    waiting.join(5)
    assert wire.read_frame(io.BytesIO(out.getvalue()).read) == {"need": digest}
    assert fetched == [b"content"]


def test_content_is_forgotten_once_all_who_wait_for_it_have_it() -> None:
    out = io.BytesIO()
    agent = Agent(lambda size: b"", wire.Writer(out))
    fetched: list[Any] = []
    waiting = [threading.Thread(target=lambda: fetched.append(agent._fetch("one"))) for _ in range(3)]
    for thread in waiting:
        thread.start()
    while agent._awaited.get("one") != 3:
        waiting[0].join(0.01)
    agent._keep_blob("one", b"con", more=True)
    agent._keep_blob("two", b"another's", more=True)
    agent._keep_blob("one", b"tent")
    for thread in waiting:
        thread.join(5)
    assert fetched == [b"content"] * 3
    assert agent._blobs == agent._awaited == {}
    assert out.getvalue() == wire.encode({"need": "one"}), "it is asked for once"
    again = threading.Thread(target=lambda: fetched.append(agent._fetch("one")))
    again.start()
    while len(out.getvalue()) < 2 * len(wire.encode({"need": "one"})):
        again.join(0.01)
    agent._keep_blob("one", b"later")
    again.join(5)
    assert fetched[3:] == [b"later"]
