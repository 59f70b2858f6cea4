"""`pystack lab-up`, `lab-list`, `lab-shell`, `lab-down`: throw-away hosts on this machine."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from installer.cli.options import verb
from installer.errors import UsageError


@verb
def lab_up(_context: Any, name: Sequence[str] | None = None, platform: str = "debian-13") -> int:
    """Make throw-away hosts with their own systemd, sshd and network (needs root)

    Examples:
      pystack lab-up                 (one host, lab-1)
      pystack lab-up lab-1 lab-2 --platform debian-13

    Exit codes: 0 they are up, 3 refused, 4 one could not be made
    """
    from installer import lab
    from installer.cli import lab_cloud
    from installer.cli.given import Style
    from installer.cli.output import Screen

    hosts = lab.up(list(name or [lab_cloud.NAME]), platform, lab_cloud.told(Style()))
    names = " ".join(host.name for host in hosts)
    Screen().line(f"log in: pystack lab-shell {hosts[0].name}      remove: pystack lab-down {names}")
    return 0


@verb
def lab_list(_context: Any) -> int:
    """List the throw-away hosts"""
    from installer import lab
    from installer.cli.output import Screen
    from installer.report.tables import columns

    hosts = lab.hosts()
    screen = Screen()
    if not hosts:
        screen.line("no lab hosts: pystack lab-up makes one")
        return 0
    rows = [(host.name, host.platform, host.address, host.user, "up" if host.running else "down") for host in hosts]
    header, *lines = columns([("name", "platform", "address", "user", "state"), *rows])
    screen.line(header, "dim")
    for line in lines:
        screen.line(line)
    return 0


@verb
def lab_shell(_context: Any, name: Sequence[str] | None = None) -> int:
    """Log in to a throw-away host

    Example:
      pystack lab-shell lab-1
    """
    from installer import lab

    names = list(name or [host.name for host in lab.hosts()])
    if len(names) != 1:
        known = ", ".join(host.name for host in lab.hosts())
        raise UsageError("which lab host?", f"pystack lab-shell NAME; there are: {known or 'none'}")
    lab.shell(names[0])
    return 0


@verb
def lab_down(_context: Any, name: Sequence[str] | None = None, purge: bool = False) -> int:
    """Remove throw-away hosts, all or those named (needs root)

    With the last one goes all that was set up on this machine for them, but for the cached images.

    Examples:
      pystack lab-down
      pystack lab-down lab-2
    """
    from installer import lab
    from installer.cli import lab_cloud
    from installer.cli.given import Style

    lab.down(list(name) if name else None, lab_cloud.told(Style()), purge)
    return 0
