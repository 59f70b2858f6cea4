"""The entry of an installed wheel: there this file is ``pystack_installer/__init__.py``, beside the four folders."""

import sys
from pathlib import Path


def main() -> None:
    """Run pystack."""
    sys.path.insert(0, str(Path(__file__).resolve().parent))

    from installer.cli import main as run

    run()
