"""Names, numbers and places of the services' accounts and groups."""

from __future__ import annotations

#: As RDO's packages have them: the same on all hosts where they are free. Others get the next free one.
NUMBERS = {"glance": 161, "nova": 162, "keystone": 163, "neutron": 164, "cinder": 165, "heat": 187}
#: The groups of the hosts that have them.
PLACES = {
    "keystone": ("controller",),
    "glance": ("controller",),
    "placement": ("controller",),
    "nova": ("controller", "compute"),
    "neutron": ("controller", "compute"),
    "cinder": ("controller", "storage"),
    "heat": ("controller",),
}
#: What else an account needs: the parameter that says whether there is one. Keystone's is always there.
SWITCHES = {
    "glance": "CONFIG_GLANCE_INSTALL",
    "placement": "CONFIG_NOVA_INSTALL",
    "nova": "CONFIG_NOVA_INSTALL",
    "neutron": "CONFIG_NEUTRON_INSTALL",
    "cinder": "CONFIG_CINDER_INSTALL",
    "heat": "CONFIG_HEAT_INSTALL",
}
