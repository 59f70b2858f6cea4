"""Content for a scratch directory: the same for pystack, Ansible and pyinfra."""

from __future__ import annotations

from pathlib import Path

DIRECTORIES = 5
FILES_EACH = 6
RESOURCES = DIRECTORIES * (FILES_EACH + 2)


def directories(root: str) -> list[str]:
    """Return the directories below a root."""
    return [f"{root}/part{number}" for number in range(DIRECTORIES)]


def files(directory: str) -> dict[str, str]:
    """Return path and content (about 2 kB) of every file of a directory."""
    return {
        f"{directory}/service{number}.conf": "".join(
            f"option_{line} = value {line} of {Path(directory).name}, file {number}\n" for line in range(50)
        )
        for number in range(FILES_EACH)
    }


def link(directory: str) -> tuple[str, str]:
    """Return path and target of the symbolic link of a directory."""
    return f"{directory}/current.conf", "service0.conf"
