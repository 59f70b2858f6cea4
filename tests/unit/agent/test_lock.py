import fcntl
import os
import subprocess
import sys
import threading
import time
from pathlib import Path

import pytest

from installer.agent import lock


def test_another_owner_is_told_who_holds_the_lock(tmp_path: Path) -> None:
    path = tmp_path / "lock"
    held = lock.take("ann@a", "run-1", 0, print, path)
    with pytest.raises(lock.Busy) as busy:
        lock.take("bob@b", "run-2", 0, print, path)
    assert (busy.value.holder["owner"], busy.value.holder["run"]) == ("ann@a", "run-1")
    assert time.time() - busy.value.holder["since"] < 60
    assert 0 < busy.value.holder["age"] < 60
    os.close(held)


def test_somebody_who_only_looks_does_not_hold_the_lock(tmp_path: Path) -> None:
    path = tmp_path / "lock"
    os.close(lock.take("ann@a", "run-1", 0, print, path))
    looking = os.open(path, os.O_RDONLY)
    fcntl.flock(looking, fcntl.LOCK_SH)
    threading.Timer(0.3, os.close, [looking]).start()
    os.close(lock.take("bob@b", "run-2", 0, print, path))


def test_an_earlier_run_of_the_same_owner_is_waited_for(tmp_path: Path) -> None:
    path, told = tmp_path / "lock", []
    held = lock.take("ann@a", "run-1", 0, print, path)
    threading.Timer(0.7, os.close, [held]).start()
    os.close(lock.take("ann@a", "run-2", 10, told.append, path))
    assert told == ["waiting for run run-1 to finish what it began on this host"]


def test_the_lock_outlives_its_process_for_as_long_as_a_command_of_it_runs(tmp_path: Path) -> None:
    path = tmp_path / "lock"
    program = (
        "import os, signal, sys; sys.path.insert(0, sys.argv[1])\n"
        "from pathlib import Path; from installer.agent import lock; from installer.agent.host import Host\n"
        "fd = lock.take('ann@a', 'r', 0, print, Path(sys.argv[2]))\n"
        "import threading; threading.Thread(target=lambda: Host(lock_fd=fd).run(['sleep', '2'])).start()\n"
        "import time; time.sleep(0.5); os.kill(os.getpid(), signal.SIGKILL)\n"
    )
    root = str(Path(__file__).parents[3])
    subprocess.run([sys.executable, "-c", program, root, str(path)], check=False)
    assert lock.holder(path) is not None
    deadline = time.monotonic() + 10
    while lock.holder(path) is not None and time.monotonic() < deadline:
        time.sleep(0.1)
    assert lock.holder(path) is None


def test_looking_at_the_lock_makes_no_file(tmp_path: Path) -> None:
    assert lock.holder(tmp_path / "none") is None
    assert list(tmp_path.iterdir()) == []
