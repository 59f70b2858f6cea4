"""The command lines that hosts get: for any login shell, with any Python."""

from __future__ import annotations

import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from installer.agent import bootstrap
from installer.agent.wire import READY
from installer.engine.session import not_started
from installer.errors import HostUnreachable
from installer.transport.privilege import MARK, PROMPT, by_sudo, shell_line
from installer.transport.python import PythonMissing

SHELLS = [shell for shell in ("sh", "bash", "zsh", "tcsh", "fish", "busybox") if shutil.which(shell)]
WORDS = st.lists(st.text(st.characters(exclude_characters="\0", exclude_categories=("Cs",)), max_size=20), max_size=5)


def run(shell: str, line: str, **options: object) -> bytes:
    argv = [shell, "sh", "-c", line] if shell == "busybox" else [shell, "-c", line]
    return subprocess.run(argv, capture_output=True, check=True, timeout=20, **options).stdout  # type: ignore[call-overload,no-any-return]


@pytest.mark.parametrize("shell", SHELLS)
def test_a_command_comes_through_every_login_shell_as_it_is(shell: str) -> None:
    words = ["", "it's", '"', "$HOME", "`id`", "!!", "a\\'b", "line\nbreak", "%s %", "*", "~", "ü", "\t", "#", "&|;<>"]
    assert run(shell, shell_line(["printf", "<%s>", *words])).decode() == "".join(f"<{word}>" for word in words)


@given(words=WORDS)
def test_any_arguments_come_through(words: list[str]) -> None:
    expected = "".join(f"<{word}>" for word in words) if words else "<>"
    assert run("sh", shell_line(["printf", "<%s>", *words])).decode() == expected


def fake_sudo(folder: Path, script: str) -> dict[str, str]:
    folder.mkdir()
    (folder / "sudo").write_text(f"#!/bin/sh\n{script}\n")
    (folder / "sudo").chmod(0o755)
    return {"PATH": f"{folder}:/usr/bin:/bin"}


def test_sudo_gets_prompt_and_command_in_its_own_arguments(tmp_path: Path) -> None:
    environment = fake_sudo(tmp_path / "bin", 'echo "$LC_ALL|$1|$2|$3|$4"; shift 4; exec "$@"')
    seen = run("sh", shell_line(by_sudo(["printf", "%s", "it's !\n"])), env=environment)
    assert seen == f"C|-S|-p|{PROMPT}|--\n".encode() + MARK + b"it's !\n"


def python(folder: Path, name: str, script: str) -> None:
    (folder / name).write_text(f"#!/bin/sh\n{script}\n")
    (folder / name).chmod(0o755)


def start_agent(folder: Path) -> subprocess.CompletedProcess[bytes]:
    shell, *rest = bootstrap.command()
    # Nothing but the programs of this folder is found, and no Python of the machine.
    rest[1] = rest[1].replace("/usr/libexec/platform-python", "")
    return subprocess.run(
        [shell, *rest], input=bootstrap.source(), capture_output=True, env={"PATH": str(folder)}, timeout=30
    )


def test_the_agent_starts_with_the_first_python_that_is_new_enough(tmp_path: Path) -> None:
    python(tmp_path, "python3", f"exit {bootstrap.NO_PYTHON}")
    python(tmp_path, "python3.12", f'exec {sys.executable} "$@"')
    ended = start_agent(tmp_path)
    assert ended.stdout.startswith(READY), ended.stderr
    assert ended.returncode == 0


def test_without_a_python_that_is_new_enough_the_code_says_so(tmp_path: Path) -> None:
    assert start_agent(tmp_path).returncode == bootstrap.NO_PYTHON
    python(tmp_path, "python3", f"exit {bootstrap.NO_PYTHON}")
    assert start_agent(tmp_path).returncode == bootstrap.NO_PYTHON
    problem = not_started("node1", "", bootstrap.NO_PYTHON)
    assert isinstance(problem, PythonMissing)
    assert problem.exit_code == 3


def test_another_end_of_the_agent_is_no_question_of_python(tmp_path: Path) -> None:
    python(tmp_path, "python3", "echo broken >&2; exit 3")
    ended = start_agent(tmp_path)
    assert (ended.returncode, ended.stderr) == (3, b"broken\n")
    problem = not_started("node1", ended.stderr.decode(), ended.returncode)
    assert isinstance(problem, HostUnreachable)
    assert "(code 3):\n  broken" in problem.message
