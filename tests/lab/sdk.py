"""openstacksdk announces its own future by warnings, which are not ours to change."""

from __future__ import annotations

import pytest

#: For ``pytestmark`` of a module whose tests use it.
QUIET = pytest.mark.filterwarnings(
    "ignore::openstack.warnings.OpenStackDeprecationWarning",
    "ignore::openstack.warnings.RemovedInSDK50Warning",
    "ignore::openstack.warnings.RemovedInSDK60Warning",
)
