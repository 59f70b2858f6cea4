"""Numbers of the services' accounts and groups."""

from __future__ import annotations

#: As RDO's packages have them: the same on all hosts where they are free. Others get the next free one.
NUMBERS = {"glance": 161, "nova": 162, "keystone": 163, "neutron": 164, "cinder": 165, "heat": 187}
#: Those that are on several hosts: the groups of the hosts that have them.
ON_SEVERAL_HOSTS = {
    "nova": ("controller", "compute"),
    "neutron": ("controller", "compute"),
    "cinder": ("controller", "storage"),
}
