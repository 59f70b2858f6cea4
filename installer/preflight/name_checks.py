"""Whether /etc/hosts of a host agrees with the names that pystack writes there. Pure functions of what agents found."""

from __future__ import annotations

from collections.abc import Iterator

from installer.outcome import Finding
from installer.preflight.seen import Check, Seen
from installer.resources.host_entry import DEBIAN_OWN, Line
from roles.base.role import entries


def hosts_file(seen: Seen) -> Iterator[Finding]:
    """No line of /etc/hosts leads a name of the cloud's hosts elsewhere; Debian's 127.0.1.1 is set aside by install."""
    lines = [
        Line(it["text"], it["number"], it["address"], tuple(it["names"]), False) for it in seen.report["hosts_file"]
    ]
    fine = True
    for entry in entries(seen.cloud, seen.host):
        for line in entry.elsewhere(lines):
            if line.address == DEBIAN_OWN:
                continue
            fine = False
            own = {name.lower() for name in entry.names}
            names = [name for name in line.names if name in own]
            # What else stands in the line is not ours to take away.
            commands = [f"sed -i '{line.number}s/^/# /' /etc/hosts"] if set(line.names) <= own else []
            yield seen.bad(
                "hosts file",
                f"line {line.number} of /etc/hosts leads {' '.join(names)} to {line.address}, not to {entry.address}",
                "services would talk to another machine; pystack does not change lines that are not its own",
                f"take {' '.join(names)} off that line, or give {line.address} in the answer file",
                *commands,
            )
    if fine:
        yield seen.good("hosts file", "/etc/hosts leads nowhere else")


CHECKS: tuple[Check, ...] = (hosts_file,)
