"""Throw-away hosts on this machine, with their own systemd, sshd, users and network.

They are systemd-nspawn containers or, where that is asked for, have a kernel of their own: User-mode Linux.

`up` makes hosts and `down` removes them with everything that was changed for them. A `LabHost` can be started, stopped,
rebooted, killed and reset to the moment it was made.
"""

from installer.lab.fleet import answers, down, shell, up
from installer.lab.host import LabHost, get, hosts
from installer.lab.places import LabFailed, LabRefused, PlatformNotPossible
from installer.lab.platforms import PLATFORMS

__all__ = [
    "PLATFORMS",
    "LabFailed",
    "LabHost",
    "LabRefused",
    "PlatformNotPossible",
    "answers",
    "down",
    "get",
    "hosts",
    "shell",
    "up",
]
