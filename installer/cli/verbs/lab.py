"""`pystack lab-up`, `lab-list`, `lab-shell`, `lab-down`: throw-away hosts on this machine."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from installer.cli.options import OPTIONS, verb
from installer.errors import UsageError


@verb
def lab_up(
    _context: Any,
    name: Sequence[str] | None = None,
    platform: str = "debian-13",
    kernel: str = "shared",
    disk: Sequence[str] | None = None,
    selinux: str = "",
    memory: str = "",
) -> int:
    """Make throw-away hosts with their own systemd, sshd and network (needs root)

    They are containers, which share the kernel of this machine and come up in a
    second or two. With --kernel=own each has a kernel of its own (User-mode
    Linux), for volume groups, iSCSI and SELinux: it has one processor, comes up
    in some ten seconds and runs Python at half the speed.

    Of Enterprise Linux and Fedora a host of their own packages is made where
    their mirrors answer; where not, a stand-in: Debian underneath, and on top
    rpm, dnf and the platform's names, accounts, units and paths. Which of the
    two it became is told. A --platform may also be written debian13 or el10; of
    fedora it is the newest release that the lab makes.

    Examples:
      pystack lab-up                 (one host, lab-1)
      pystack lab-up lab-1 lab-2 --platform debian-13
      pystack lab-up store --kernel own --disk 4 --disk 8
      pystack lab-up strict --kernel own --selinux enforcing
      pystack lab-up el --platform el-10

    Exit codes: 0 they are up, 3 refused, 4 one could not be made
    """
    from installer import lab
    from installer.cli import lab_cloud
    from installer.cli.given import Style
    from installer.cli.output import Screen

    hosts = lab.up(
        list(name or [lab_cloud.NAME]),
        platform,
        lab_cloud.told(Style()),
        kernel=kernel,
        disks=[_number("disk", size) for size in disk or ()],
        selinux=selinux,
        memory=_number("memory", memory) if memory else 0,
    )
    names = " ".join(host.name for host in hosts)
    Screen().line(f"log in: pystack lab-shell {hosts[0].name}      remove: pystack lab-down {names}")
    return 0


def _number(option: str, text: str) -> int:
    if not text.isdecimal() or not int(text):
        raise UsageError(f"--{option}={text} is no number above 0", f"write a number of {OPTIONS[option].value}")
    return int(text)


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
    rows = [
        (
            host.name,
            host.platform,
            host.made_from,
            host.wish.kernel,
            host.address,
            host.user,
            "up" if host.running else "down",
        )
        for host in hosts
    ]
    header, *lines = columns([("name", "platform", "made from", "kernel", "address", "user", "state"), *rows])
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
