"""Ctrl-C while a password is asked for, on a real terminal."""

from __future__ import annotations

import os
import pty
import sys
import termios
import time
from pathlib import Path

PROGRAM = """
import getpass, sys, threading, time
from installer import cli
def run(words):
    threading.Thread(target=getpass.getpass, args=("Password: ", sys.stderr), daemon=True).start()
    try:
        time.sleep(30)
    except KeyboardInterrupt:
        return cli.exit_codes.INTERRUPTED
cli.run = run
cli.main()
"""


def shows_what_is_typed(terminal: int) -> bool:
    return bool(termios.tcgetattr(terminal)[3] & termios.ECHO)


def until(condition: bool, terminal: int) -> bool:
    deadline = time.monotonic() + 15
    while time.monotonic() < deadline:
        if shows_what_is_typed(terminal) is condition:
            return True
        time.sleep(0.05)
    return False


def test_after_ctrl_c_at_a_password_the_terminal_shows_again_what_is_typed() -> None:
    program, terminal = pty.fork()
    if program == 0:
        os.chdir(Path(__file__).parents[3])
        os.execv(sys.executable, [sys.executable, "-c", PROGRAM])
    assert until(False, terminal), "nobody asked for a password"
    os.write(terminal, b"\x03")
    try:
        assert until(True, terminal), "the terminal stayed mute"
    finally:
        os.close(terminal)
        os.waitpid(program, 0)
