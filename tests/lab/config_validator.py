"""No unknown and no deprecated key in any configuration file: oslo.config's validator, run on a host."""

from __future__ import annotations

import json
import shlex
from pathlib import Path
from typing import Any

import yaml

from installer.lab import LabHost

HERE = Path(__file__).resolve().parent
#: Path on a host to what may stand in the file there.
FILES: dict[str, dict[str, Any]] = yaml.safe_load((HERE / "config_files.yaml").read_text())
PROGRAM = (HERE / "validate_configuration.py").read_text()


def problems(host: LabHost, path: str) -> str:
    """Return what the validator says about a file on a host: nothing if all is well.

    Args:
        host: an installed one.
        path: a key of ``FILES``.
    """
    declared = dict(FILES[path])
    apart = declared.pop("apart", "")
    question = {"path": path, "like": {}, "without": [], **declared}
    find = "home=$(dirname $(dirname $(command -v python)))" + (f"-{apart}" if apart else "")
    python = f"set -a; . /etc/pystack/env; {find}; exec $home/bin/python - {shlex.quote(json.dumps(question))}"
    return host.run(f"bash -c {shlex.quote(python)}", stdin=PROGRAM, check=True).stdout
