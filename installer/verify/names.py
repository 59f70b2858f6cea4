"""How everything that verify makes in a cloud is called, so that it is found again."""

from __future__ import annotations

import secrets

#: Whatever begins so is verify's, and goes with the next verify that starts an instance.
PREFIX = "pystack-verify-"


def new_run() -> str:
    """Return the beginning of all names of a run."""
    return f"{PREFIX}{secrets.token_hex(3)}-"
