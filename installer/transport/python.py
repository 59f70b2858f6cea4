"""Python on the hosts: the agent needs it, and a host without gets it."""

from __future__ import annotations

from installer.errors import PreflightRefused, ResourceFailed
from installer.transport import Connection

# The one raw command that pystack ever runs on a host. A link that is lost meanwhile must not tear the transaction: its
# output goes to a file, and what follows from the hang-up is ignored. It says its last words on standard error only.
# By dnf's comment the agent knows later that this transaction was pystack's: installer.resources.dnf_history.
_INSTALL = """
exec </dev/null >&2
trap '' HUP INT PIPE TERM
umask 022
export DEBIAN_FRONTEND=noninteractive
log=$(mktemp) || exit 1
bring() {
  if command -v dnf; then dnf -y --comment=pystack install python3
  elif command -v apt-get; then
    # What an earlier run began may still be going on.
    apt-get update && apt-get -y --no-install-recommends -o DPkg::Lock::Timeout=600 install python3
  else echo "there is neither dnf nor apt-get"; return 1
  fi
}
bring >"$log" 2>&1
code=$?
tail -n 20 "$log"
rm -f "$log"
exit $code
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
