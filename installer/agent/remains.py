"""Traces of another OpenStack, or of another installer, on this host. Changes nothing."""

from __future__ import annotations

import glob
import os
import re
from typing import Dict, List

from installer.agent.host import Host
from installer.agent.installed import packages

#: Stands in the head of every file that pystack writes.
OUR_MARK = "pystack"
#: What other installers leave behind, and how an operator calls it.
PATHS = {
    "/var/tmp/packstack": "Packstack's working directory",
    "/etc/kolla": "Kolla's configuration",
    "/opt/stack": "DevStack's checkout",
    "/etc/openstack_deploy": "OpenStack-Ansible's configuration",
    "/var/snap/openstack": "the OpenStack snap (Sunbeam)",
}
_SERVICES = "keystone|glance|placement|nova|neutron|cinder|heat|swift|openstack"
_PACKAGE = re.compile(
    r"^(?:openstack-(?:keystone|glance|placement|nova|neutron|cinder|heat|swift|dashboard|packstack)[\w-]*"
    r"|(?:keystone|glance|placement|nova|neutron|cinder|heat|swift)-(?:api|common|compute|scheduler|server|volume)"
    r"|keystone|openstack-dashboard)$"
)


def remains(host: Host) -> List[Dict[str, str]]:
    """Return what was found: ``what`` (package, unit or path), ``name``, ``words``."""
    found = [{"what": "path", "name": path, "words": words} for path, words in PATHS.items() if os.path.exists(path)]
    found += [{"what": "unit", "name": name, "words": "a unit that pystack did not write"} for name in _foreign_units()]
    found += [
        {"what": "package", "name": name, "words": "an OpenStack service from the distribution"}
        for name in foreign_packages([line[3:] for line in packages(host) if line[1:2] == "i"])
    ]
    return found


def foreign_packages(installed: List[str]) -> List[str]:
    """Return the names that belong to a distribution's OpenStack services; pystack installs none of those."""
    return sorted(name for name in installed if _PACKAGE.match(name))


def _foreign_units() -> List[str]:
    found = []
    for path in glob.glob("/etc/systemd/system/*.service"):
        name = os.path.basename(path)
        if re.match(rf"^(?:devstack@|(?:{_SERVICES})-)", name) and not os.path.islink(path):
            with open(path, encoding="utf-8", errors="replace") as stream:
                if OUR_MARK not in stream.read():
                    found.append(name)
    return sorted(found)
