"""Private keys as they are read from files."""

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
