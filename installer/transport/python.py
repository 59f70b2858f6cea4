"""Python on the hosts: the agent needs it, and a host without gets it."""

from __future__ import annotations

from installer.errors import PreflightRefused, ResourceFailed
from installer.transport import Connection

# The one raw command that pystack ever runs on a host. It says what it does on standard error only.
_INSTALL = """
exec </dev/null >&2
export DEBIAN_FRONTEND=noninteractive
if command -v dnf; then dnf -y install python3
elif command -v apt-get; then apt-get update && apt-get -y --no-install-recommends install python3
else echo "there is neither dnf nor apt-get"; exit 1
fi
"""
_LONGEST = 900.0


class PythonMissing(PreflightRefused):
    """A host has no Python that the agent can run on.

    Args:
        host: the address.
    """

    def __init__(self, host: str) -> None:
        super().__init__(
            f"{host}: there is no Python 3.9 or later",
            "pystack install brings it; or do it by hand: dnf install python3, or apt-get install python3",
        )
        self.host = host


def install_python(connection: Connection) -> None:
    """Install Python 3 from the host's own package sources.

    Raises:
        ResourceFailed: its package manager failed.
    """
    stream = connection.start(["/bin/sh", "-c", _INSTALL])
    while stream.read(1 << 16):
        pass
    code = stream.exit_code(_LONGEST)
    said = stream.errors().strip()
    stream.close()
    if code != 0:
        raise ResourceFailed(
            f"{connection.address}: Python 3 could not be installed (code {code}):\n  "
            + "\n  ".join(said.splitlines()[-8:]),
            "make its package sources work, then run the same command again",
        )
