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
