"""Ansible and pyinfra as measured beside: the releases that pip finds, each in an environment of its own."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import yaml
from record import SCRATCH, tell

#: Distributions by the name of the tool.
TOOLS = {"ansible": "ansible-core", "pyinfra": "pyinfra"}


def provide(tool: str) -> Path:
    """Install a tool unless it is there, and return the folder of its programs."""
    folder = SCRATCH / tool
    if not (folder / "bin" / tool).exists():
        tell(f"installing {TOOLS[tool]} into {folder}")
        subprocess.run([sys.executable, "-m", "venv", folder], check=True)
        subprocess.run([folder / "bin" / "pip", "install", "--quiet", TOOLS[tool]], check=True)
    return folder / "bin"


def version(tool: str) -> str:
    """Return the installed release of a tool."""
    code = f"import importlib.metadata; print(importlib.metadata.version('{TOOLS[tool]}'))"
    return subprocess.check_output([provide(tool) / "python", "-c", code], text=True).strip()


class Ansible:
    """Ansible set up as its manual advises for speed: pipelining, many forks, connections that persist.

    Args:
        folder: for configuration, inventory and playbook.
        hosts: variables of each host by its name.
    """

    def __init__(self, folder: Path, hosts: Mapping[str, Mapping[str, Any]]) -> None:
        folder.mkdir(parents=True, exist_ok=True)
        self._folder = folder
        self._program = provide("ansible") / "ansible-playbook"
        (folder / "inventory.yaml").write_text(
            yaml.safe_dump({"all": {"hosts": {k: dict(v) for k, v in hosts.items()}}})
        )
        (folder / "ansible.cfg").write_text(
            f"[defaults]\nforks = 50\nretry_files_enabled = no\nhome = {folder}/home\n"
            "[ssh_connection]\npipelining = yes\n"
            f"control_path_dir = {folder}/cp\n"
            "ssh_args = -o ControlMaster=auto -o ControlPersist=60s\n"
        )

    def playbook(self, name: str, tasks: list[dict[str, Any]], facts: bool) -> list[str | Path]:
        """Write a playbook and return the command that runs it."""
        path = self._folder / name
        play = {"hosts": "all", "gather_facts": facts, "become": False, "tasks": tasks}
        path.write_text(yaml.safe_dump([play], sort_keys=False, width=200))
        return [self._program, "-i", self._folder / "inventory.yaml", path]

    @property
    def environment(self) -> dict[str, str]:
        """What is added to the environment of its commands."""
        return {"ANSIBLE_CONFIG": str(self._folder / "ansible.cfg"), "ANSIBLE_NOCOLOR": "1"}
