from __future__ import annotations

import io
import threading
import time
from pathlib import Path
from typing import Any

import pytest

from installer.agent import main, wire
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


def test_what_was_downloaded_is_gone_when_the_answer_to_forget_comes_and_what_was_left_with_the_first_question(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(
        main.package_download.coming_repositories, "would_install", lambda *_: {"packages": [], "problem": ""}
    )
    out = io.BytesIO()
    agent = Agent(lambda size: b"", wire.Writer(out))
    agent._downloads = main.package_download.Downloads(str(tmp_path))
    left, own = tmp_path / "pystack-packages-999999999.abcdefgh", tmp_path / "own"
    left.mkdir()
    own.mkdir()
    agent._downloads._folders.append(str(own))
    agent._answer({"do": "packages", "id": 1, "names": [], "sources": [], "repositories": [], "proxies": {}})
    assert list(tmp_path.iterdir()) == [own]
    agent._answer({"do": "forget", "id": 2})
    assert list(tmp_path.iterdir()) == []
    assert wire.encode({"reply": 2, "result": True}) in out.getvalue()


def test_a_download_is_told_when_the_controller_is_gone(monkeypatch: pytest.MonkeyPatch) -> None:
    link = io.BytesIO(
        wire.encode(
            {"do": "download", "id": 1, "packages": [], "bringing": [], "size": 7, "repositories": [], "proxies": {}}
        )
    )
    agent = Agent(link.read, wire.Writer(io.BytesIO()))
    ended: list[int] = []

    def fetch(_packages: Any, _bringing: Any, size: int, *_others: Any) -> dict[str, Any]:
        stopped = _others[-1].stopped
        while not stopped():
            time.sleep(0.01)
        ended.append(size)
        return {}

    monkeypatch.setattr(agent._downloads, "fetch", fetch)
    agent.serve()
    assert ended == [7]


def test_requests_that_were_answered_are_not_kept(monkeypatch: pytest.MonkeyPatch) -> None:
    part = {"do": "part", "id": 1, "sha256": "", "offset": 0, "size": 1}
    requests = iter([part] * 20)
    agent = Agent(lambda size: b"", wire.Writer(io.BytesIO()))

    def read_frame(_read: Any) -> Any:
        for thread in agent._threads:
            thread.join(5)
        try:
            return next(requests)
        except StopIteration:
            raise wire.LinkLost("") from None

    monkeypatch.setattr(main.wire, "read_frame", read_frame)
    agent.serve()
    assert len(agent._threads) == 1
