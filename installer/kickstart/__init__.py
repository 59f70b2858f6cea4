"""Unattended installations of hosts that do not exist yet, in the form that each distribution's own installer reads."""

from installer.kickstart.forms import FORMS, Form
from installer.kickstart.machine import Machine, Mirror, Network, Wish, machine

__all__ = ["FORMS", "Form", "Machine", "Mirror", "Network", "Wish", "machine"]
