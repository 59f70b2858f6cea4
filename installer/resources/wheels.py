"""Wheels that the controller sends, kept on the host, so that it asks no package index."""

from __future__ import annotations

import json
import os
import time
from concurrent.futures import ThreadPoolExecutor
from typing import List, Optional, Sequence, Tuple

from installer.agent.host import Host
from installer.resources.base import CannotFix
from installer.resources.blob import content
from installer.resources.file import sha256_of, write_atomically

#: Where they are kept, so that only those come over the link that the host lacks.
FOLDER = "/var/cache/pystack/wheels"
#: What names of lists begin with; other contents are named by their sha256.
LIST = "wheels "
#: Wheels that are asked for at a time: the way there and back is not waited for, and few are in memory.
AT_ONCE = 6
#: Seconds between two lines of progress.
TELL = 1.0

#: Name and sha256 (64 hex digits) of a wheel, or of a source distribution.
Wheel = Tuple[str, str]


def list_name(lock: str, build_constraints: str, version: str, machine: str) -> str:
    """Return what the controller knows the list of an environment's wheels by.

    Args:
        lock: sha256 of the lock.
        build_constraints: sha256 of the lock of what builds distributions that have no wheel.
        version: of Python, major and minor.
        machine: the architecture, as ``uname -m`` tells it.
    """
    return f"{LIST}{lock} {build_constraints} {version} {machine}"


def sent(lock: str, build_constraints: str, version: str, host: Host) -> Optional[str]:
    """Bring the wheels that the controller has, and return their folder; None: the host's package index has them.

    Args:
        lock, build_constraints, version: see ``list_name``.
        host: the host.

    Raises:
        CannotFix: the controller forbids the index, and has not what is needed; or other wheels came.
    """
    wheels = offered(list_name(lock, build_constraints, version, os.uname().machine), host)
    return None if wheels is None else bring(wheels, host)


def offered(name: str, host: Host) -> Optional[List[Wheel]]:
    """Return which wheels the controller has for an environment; None leaves them to the host's package index.

    Raises:
        CannotFix: the controller forbids the index, and has not what is needed.
    """
    answer = json.loads(host.blob(name))
    if answer.get("refused"):
        raise CannotFix(answer["refused"])
    files = answer["files"]
    return None if files is None else [(str(file), str(sha256)) for file, sha256 in files]


def bring(wheels: Sequence[Wheel], host: Host, folder: str = FOLDER) -> str:
    """Bring those that the host lacks, and return the folder with all of them.

    Raises:
        CannotFix: what came is not what was asked for, or there is no room for it.
    """
    try:
        os.makedirs(folder, mode=0o755, exist_ok=True)
        lacking = [wheel for wheel in wheels if not _is_there(wheel, folder)]
        if lacking:
            host.progress(f"bringing {len(lacking)} of {len(wheels)} wheels to the host")
            _bring_all(lacking, folder, host)
    except OSError as problem:
        raise CannotFix(f"wheels cannot be kept in {folder}: {problem.strerror or problem}") from problem
    return folder


def _bring_all(wheels: Sequence[Wheel], folder: str, host: Host) -> None:
    told = time.monotonic()
    with ThreadPoolExecutor(max_workers=AT_ONCE) as pool:
        futures = [pool.submit(_bring, wheel, folder, host) for wheel in wheels]
        try:
            for number, future in enumerate(futures, 1):
                future.result()
                if time.monotonic() - told > TELL:
                    told = time.monotonic()
                    host.progress(f"wheels {number} of {len(wheels)}")
        finally:
            # After a failure nobody waits for all the others.
            for future in futures:
                future.cancel()


def _is_there(wheel: Wheel, folder: str) -> bool:
    path = _path(wheel, folder)
    return os.path.isfile(path) and sha256_of(path) == wheel[1]


def _path(wheel: Wheel, folder: str) -> str:
    if not wheel[0] or os.path.basename(wheel[0]) != wheel[0] or wheel[0].startswith("."):
        raise CannotFix(f"{wheel[0]!r} is no name of a wheel")
    return os.path.join(folder, wheel[0])


def _bring(wheel: Wheel, folder: str, host: Host) -> None:
    name, sha256 = wheel
    write_atomically(_path(wheel, folder), content(sha256, host, name), "root", "root", 0o644)
