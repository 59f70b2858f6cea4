from __future__ import annotations

import io
import threading
from pathlib import Path
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


def test_bytes_are_answered_in_a_frame_of_their_own_and_what_was_downloaded_goes_with_the_agent(tmp_path: Path) -> None:
    out = io.BytesIO()
    agent = Agent(lambda size: b"", wire.Writer(out))
    folder = tmp_path / "packages"
    folder.mkdir()
    (folder / "a.rpm").write_bytes(b"content")
    agent._downloads._folders.append(str(folder))
    agent._downloads._paths["12ab"] = str(folder / "a.rpm")
    agent._answer({"do": "part", "id": 7, "sha256": "12ab", "offset": 3, "size": 100})
    stream = io.BytesIO(out.getvalue())
    assert [wire.read_frame(stream.read) for _ in range(2)] == [{"reply": 7, "binary": True}, b"tent"]
    agent.serve()
    assert not folder.exists()
