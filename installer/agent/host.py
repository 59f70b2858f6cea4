"""The host as resources see it: run a command, fetch a blob, tell progress."""

from __future__ import annotations

import os
import pwd
import signal
import subprocess
import threading
import time
from typing import Any, Callable, Dict, List, Mapping, NamedTuple, Optional, Sequence, Tuple, TypeVar, Union

from installer.resources.secret import Secret

#: A fixed environment: what an operator's login shell sets must not change what pystack does.
ENVIRONMENT = {
    "PATH": "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin",
    "LC_ALL": "C.UTF-8",
    "HOME": "/root",
    "DEBIAN_FRONTEND": "noninteractive",
}

#: Seconds between two looks whether a command shall be ended.
LOOK = 1.0

T = TypeVar("T")
Stdin = Union[str, bytes, Secret, None]


class Completed(NamedTuple):
    """How a command ended: argument list, exit code (negative: a signal), output and error text."""

    argv: Tuple[str, ...]
    code: int
    out: str
    err: str


class CommandFailed(Exception):
    """A command ended otherwise than expected.

    Args:
        completed: how it ended.
        why: what was expected, in words.
    """

    def __init__(self, completed: Completed, why: str = "") -> None:
        super().__init__(why or f"{completed.argv[0]} ended with code {completed.code}")
        self.completed = completed
        self.why = why


class Host:
    """The host that the agent runs on.

    Args:
        fetch: returns the bytes of a blob by its name from the controller; see ``blob``.
        progress: takes one line of text about what is being done.
        lock_fd: file descriptor of the host lock; commands inherit it, so that the lock outlives a killed agent
            for as long as one of its commands still runs.
        echo: tells whether the controller answers within so many seconds.
        silence: tells the controller that the host may not be heard for so many seconds.
        remark: takes a line of text that is to stay on the operator's screen; without it, ``progress`` does.
    """

    def __init__(
        self,
        fetch: Optional[Callable[[str], bytes]] = None,
        progress: Optional[Callable[[str], None]] = None,
        lock_fd: Optional[int] = None,
        echo: Optional[Callable[[float], bool]] = None,
        silence: Optional[Callable[[float], None]] = None,
        remark: Optional[Callable[[str], None]] = None,
    ) -> None:
        self._fetch = fetch
        self._echo = echo
        self._silence = silence
        self._progress = progress
        self._remark = remark
        self.lock_fd = lock_fd
        self._memory: Dict[str, Any] = {}
        self._memory_lock = threading.RLock()

    def run(
        self,
        argv: Sequence[str],
        *,
        stdin: Stdin = None,
        user: Optional[str] = None,
        env: Optional[Mapping[str, str]] = None,
        timeout: float = 600.0,
        expect: Optional[Sequence[int]] = (0,),
        stopped: Optional[Callable[[], bool]] = None,
    ) -> Completed:
        """Run a command without a shell, in ``/``, in a session of its own.

        Args:
            argv: program and arguments.
            stdin: text or bytes for its standard input; nothing means end of file at once.
            user: run as this account with its groups; default root.
            env: additions to the fixed environment.
            timeout: seconds until it is ended.
            expect: exit codes that are fine; None accepts any.
            stopped: asked every second; the command is ended once it is true, because the controller is gone.

        Raises:
            CommandFailed: another exit code, ended before its time, or the program cannot be started (code 127).
        """
        arguments = tuple(str(part) for part in argv)
        who = _account(user) if user else {}
        environment = {**ENVIRONMENT, **({"HOME": who.pop("home")} if who else {}), **(env or {})}
        try:
            process = subprocess.Popen(
                arguments,
                stdin=subprocess.PIPE if stdin is not None else subprocess.DEVNULL,
                stdout=subprocess.PIPE,
                stderr=subprocess.PIPE,
                cwd="/",
                env=environment,
                start_new_session=True,
                pass_fds=() if self.lock_fd is None else (self.lock_fd,),
                **who,
            )
        except OSError as problem:
            missing = Completed(arguments, 127, "", str(problem))
            if expect is None or 127 in expect:
                return missing
            raise CommandFailed(missing, f"{arguments[0]} cannot be started") from None
        try:
            out, err = _outcome(process, _bytes(stdin), timeout, stopped)
        except subprocess.TimeoutExpired:
            # All of its session: what it started holds its output streams open.
            os.killpg(process.pid, signal.SIGKILL)
            out, err = process.communicate()
            ended = Completed(arguments, process.returncode, _text(out), _text(err))
            gone = stopped is not None and stopped()
            why = "was ended: the controller is gone" if gone else f"did not end within {timeout:.0f} s"
            raise CommandFailed(ended, f"{arguments[0]} {why}") from None
        completed = Completed(arguments, process.returncode, _text(out), _text(err))
        if expect is not None and completed.code not in expect:
            raise CommandFailed(completed)
        return completed

    def blob(self, name: str) -> bytes:
        """Return content that the controller keeps under its sha256 (64 hex digits), or a list that it makes."""
        if self._fetch is None:
            raise RuntimeError("no controller to fetch from")
        return self._fetch(name)

    def announce_silence(self, seconds: float) -> None:
        """Tell the controller that the link may be dead for so many seconds, and that it shall wait."""
        if self._silence is not None:
            self._silence(seconds)

    def controller_answers(self, seconds: float) -> bool:
        """Ask the controller for a sign of life, and tell whether it came within so many seconds."""
        if self._echo is None:
            raise RuntimeError("no controller to ask")
        return self._echo(seconds)

    def remember(self, key: str, make: Callable[[], T]) -> T:
        """Return what ``make`` returned for this key the first time, such as a token or a list that types share."""
        with self._memory_lock:
            if key not in self._memory:
                self._memory[key] = make()
            found: T = self._memory[key]
            return found

    def forget(self, prefix: str = "") -> None:
        """Forget what was remembered under keys that begin so, because it was changed."""
        with self._memory_lock:
            for key in [key for key in self._memory if key.startswith(prefix)]:
                del self._memory[key]

    def progress(self, text: str) -> None:
        """Tell the operator what is being done, in one line."""
        if self._progress is not None:
            self._progress(text)

    def remark(self, text: str) -> None:
        """Tell the operator in one line what is to be known afterwards, too: it stays on the screen."""
        tell = self._remark or self._progress
        if tell is not None:
            tell(text)


def _outcome(
    process: subprocess.Popen[bytes], data: Optional[bytes], timeout: float, stopped: Optional[Callable[[], bool]]
) -> Tuple[bytes, bytes]:
    deadline = time.monotonic() + timeout
    while True:
        left = deadline - time.monotonic()
        try:
            return process.communicate(data, timeout=left if stopped is None else min(left, LOOK))
        except subprocess.TimeoutExpired:
            if time.monotonic() >= deadline or (stopped is not None and stopped()):
                raise
            # It has been taken, and what came meanwhile is not lost (the manual of subprocess, "communicate").
            data = None


def _account(user: str) -> Dict[str, Any]:
    entry = pwd.getpwnam(user)
    groups: List[int] = os.getgrouplist(user, entry.pw_gid)
    return {"user": entry.pw_uid, "group": entry.pw_gid, "extra_groups": groups, "home": entry.pw_dir}


def _bytes(stdin: Stdin) -> Optional[bytes]:
    if isinstance(stdin, Secret):
        stdin = stdin.reveal()
    return stdin.encode() if isinstance(stdin, str) else stdin


def _text(data: bytes) -> str:
    return data.decode("utf-8", "replace")
