"""The smallest cloud: an answer file that asks for the identity service and nothing else, for what must be quick."""

from __future__ import annotations

#: Every service that the answer file asks for by itself, and what is put into it, left out.
IDENTITY_ONLY = {
    "CONFIG_GLANCE_INSTALL": "n",
    "CONFIG_NOVA_INSTALL": "n",
    "CONFIG_NEUTRON_INSTALL": "n",
    "CONFIG_CINDER_INSTALL": "n",
    "CONFIG_HORIZON_INSTALL": "n",
    "CONFIG_PROVISION_DEMO": "n",
}
#: The same as words of a command.
SET_IDENTITY_ONLY = tuple(word for name, value in IDENTITY_ONLY.items() for word in ("--set", f"{name}={value}"))
