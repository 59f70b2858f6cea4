"""Runs a package manager so that nothing tears it: in a session of its own, its output in a log instead of a pipe.

The process inherits the host lock. When the agent is killed it goes on to its end, and the next run waits for it.
"""

from __future__ import annotations

import os
import re
import subprocess
import time
from pathlib import Path
from typing import Callable, Mapping, Optional, Sequence

from installer.agent.host import ENVIRONMENT, CommandFailed, Completed, Host
from installer.resources import locks
from installer.resources.base import CannotFix

LOG = Path("/var/log/pystack/packages.log")
#: Seconds between two looks at the log.
LOOK = 0.2
#: Seconds without a word after which a package manager is given up on; it is left running.
SILENCE = 1800.0
#: Seconds to wait for another package manager, such as unattended-upgrades.
LOCKED = 600.0

#: Takes a line of output, returns what to tell the operator or None.
Reader = Callable[[str], Optional[str]]

_HELD = re.compile(r"held by process (\d+)|locked by another process with pid (\d+)")
# rpm waits for nobody, and does not say for whom. With other words in the parentheses it cannot write there.
_HELD_FILE = re.compile(r"can't create transaction lock on (\S+) \(Resource temporarily unavailable\)")


class StillRunning(CannotFix):
    """A package manager was given up on while it still runs; it has the host lock, so the next run waits for it."""


def begin(log: Path = LOG) -> None:
    """Start an empty log for the transactions of one fix; only root and its group can reach it."""
    log.parent.mkdir(mode=0o750, parents=True, exist_ok=True)
    descriptor = os.open(log, os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_NOFOLLOW, 0o600)
    os.fchmod(descriptor, 0o600)
    os.close(descriptor)


def run(
    argv: Sequence[str],
    host: Host,
    read: Reader,
    env: Optional[Mapping[str, str]] = None,
    log: Path = LOG,
    locked: float = LOCKED,
    silence: float = SILENCE,
) -> Completed:
    """Run a package manager to its end and return how it ended, both streams in ``out``.

    Args:
        argv: program and arguments.
        host: told of progress; its lock is inherited.
        read: turns lines of output into progress.
        env: additions to the fixed environment.
        log: where the output goes, after what is there.
        locked: seconds to wait while another package manager holds its lock.
        silence: seconds without output after which to give up; the process is not ended.

    Raises:
        CannotFix: another package manager held the lock all the time.
        StillRunning: this one fell silent.
        CommandFailed: the program does not exist.
    """
    deadline = time.monotonic() + locked
    while True:
        completed = _run_once(argv, host, read, env or {}, log, silence)
        holder = lock_holder(completed.out) if completed.code != 0 else None
        if holder is None:
            return completed
        words = waiting_for(holder)
        if time.monotonic() > deadline:
            raise CannotFix(f"gave up after {locked:.0f} s: {words}; run the same command again when it has ended")
        host.progress(words)
        time.sleep(3)


def lock_holder(output: str) -> Optional[int]:
    """Return the process id that holds the package manager's lock, if that is why it ended; 0: nobody any more."""
    found, file = _HELD.search(output), _HELD_FILE.search(output)
    if found:
        return int(found.group(1) or found.group(2))
    return locks.holder(file.group(1)) or 0 if file else None


def _run_once(
    argv: Sequence[str], host: Host, read: Reader, env: Mapping[str, str], log: Path, silence: float
) -> Completed:
    arguments = tuple(argv)
    with open(log, "ab") as output, open(log, "rb") as look:
        look.seek(0, os.SEEK_END)
        try:
            process = subprocess.Popen(
                arguments,
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=subprocess.STDOUT,
                cwd="/",
                env={**ENVIRONMENT, **env},
                start_new_session=True,
                pass_fds=() if host.lock_fd is None else (host.lock_fd,),
            )
        except OSError as problem:
            missing = Completed(arguments, 127, "", str(problem))
            raise CommandFailed(missing, f"{arguments[0]} cannot be started") from None
        heard = time.monotonic()
        seen, unread = bytearray(), b""
        while True:
            # Asked before the last look: what comes between the two is not lost.
            ended = process.poll() is not None
            fresh = look.read()
            if fresh:
                heard = time.monotonic()
                seen += fresh
                *lines, unread = (unread + fresh).replace(b"\r", b"\n").split(b"\n")
                _tell(lines, host, read)
            if ended:
                return Completed(arguments, process.returncode, seen.decode("utf-8", "replace"), "")
            if time.monotonic() - heard > silence:
                raise StillRunning(
                    f"{arguments[0]} (process {process.pid}) has said nothing for {silence:.0f} s and is left "
                    f"running; its output is in {log} on the host"
                )
            time.sleep(LOOK)


def _tell(lines: Sequence[bytes], host: Host, read: Reader) -> None:
    told = [text for text in (read(line.decode("utf-8", "replace").rstrip()) for line in lines) if text]
    if told:
        host.progress(told[-1])


def waiting_for(process: int) -> str:
    """Return the line that tells which process holds the package manager's lock; 0: one that nobody knows."""
    if not process:
        return "waiting for the package manager's lock, which another process held a moment ago"
    words = f"waiting for process {process} ({_command_of(process)}), which holds the package manager's lock"
    file = locks.file_naming(process)
    # One that was left by a power cut names a process of before; its number may be another's now.
    return f"{words}, as {file} says; if it has nothing to do with packages, remove that file" if file else words


def _command_of(process: int) -> str:
    try:
        words = Path(f"/proc/{process}/cmdline").read_bytes().decode("utf-8", "replace").split("\0")
    except OSError:
        return "ended meanwhile"
    return " ".join(word for word in words if word)[:120]
