"""What a login takes from files, and from the operator."""

import threading
import time
from pathlib import Path

from installer.lab import keys
from installer.transport import auth
from installer.transport.login import Login


def test_a_key_file_that_holds_another_key_now_gives_that_one(tmp_path: Path) -> None:
    path = tmp_path / "id_ed25519"
    read = []
    for pair in (first := keys.make(), second := keys.make()):
        path.write_text(pair.private)
        read.append(auth.load(path, Login("root")).get_base64())
    assert read == [first.public.split()[1], second.public.split()[1]]


def test_an_answer_is_kept_before_the_next_one_is_asked() -> None:
    asked: list[str] = []
    known = threading.Event()

    def keep() -> None:
        time.sleep(0.05)
        known.set()

    def confirm(question: str) -> bool:
        asked.append(question)
        return True

    login = Login("root", confirm=confirm)
    asking = [
        threading.Thread(target=login.agrees, args=("Is it?", lambda: not known.is_set(), keep)) for _ in range(3)
    ]
    for thread in asking:
        thread.start()
    for thread in asking:
        thread.join()
    assert asked == ["Is it?"]
