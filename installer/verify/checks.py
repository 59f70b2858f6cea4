"""What verify checks, under the names that ``--only`` takes. Quick to import: help and completion read it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from installer.errors import UsageError

_INSTANCES = ("CONFIG_NOVA_INSTALL", "CONFIG_NEUTRON_INSTALL", "CONFIG_GLANCE_INSTALL")
_WITH_VOLUMES = (*_INSTANCES, "CONFIG_CINDER_INSTALL")


@dataclass(frozen=True)
class Check:
    """One thing that verify looks at.

    Args:
        name: what ``--only`` takes.
        does: what is looked at, in one line.
        needs: yes-no parameters of the answer file that must be y.
        boots: whether it starts an instance.
    """

    name: str
    does: str
    needs: tuple[str, ...] = ()
    boots: bool = False

    def lacks(self, answers: Mapping[str, Any]) -> list[str]:
        """Return the parameters that it needs and that the answer file has at n."""
        return [name for name in self.needs if not answers[name]]


#: In the order in which they are looked at.
CHECKS = (
    Check("login", "admin and demo log in, a wrong password is refused"),
    Check("endpoints", "every endpoint of the catalogue answers over TLS"),
    Check("compute", "every service of the compute service is up", ("CONFIG_NOVA_INSTALL",)),
    Check("network", "every agent of the network service is up", ("CONFIG_NEUTRON_INSTALL",)),
    Check("volume", "every service of the volume service is up", ("CONFIG_CINDER_INSTALL",)),
    Check("orchestration", "every engine of the orchestration service is up", ("CONFIG_HEAT_INSTALL",)),
    Check("instance", "an instance with a disk from an image is reached by ssh", _INSTANCES, boots=True),
    Check("attached-volume", "a volume keeps its data from one attachment to the next", _WITH_VOLUMES, boots=True),
    Check("volume-boot", "an instance boots from a volume that was made from an image", _WITH_VOLUMES, boots=True),
    Check("denials", "SELinux denies our services nothing"),
)

#: Made on request only: it takes its time.
TEMPEST = Check("tempest", "OpenStack's own tests of the smoke set pass")


def chosen(only: Sequence[str]) -> tuple[Check, ...]:
    """Return the checks of these names, all if there are none; several in one item are separated by commas.

    Raises:
        UsageError: there is no such check.
    """
    names = [name.strip() for item in only for name in item.split(",") if name.strip()]
    known = [check.name for check in CHECKS]
    unknown = [name for name in names if name not in known]
    if unknown:
        raise UsageError(f"verify has no check {', '.join(unknown)}", f"the checks are {', '.join(known)}")
    return tuple(check for check in CHECKS if not names or check.name in names)
