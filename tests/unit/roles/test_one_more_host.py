"""One more compute host in the answer file: what changes in the plans of the hosts that are there already."""

import pytest

from installer import plan
from installer.roles import all_roles
from tests.unit.roles.test_roles import SUPPORTED, cloud_of

BEFORE = ("192.0.2.10", "192.0.2.11")
NEW = "192.0.2.12"


def planned(hosts, platform, kernel):
    """Return what there is to do, by host and step.

    Args:
        hosts: addresses; the first is the controller.
        platform: theirs.
        kernel: whether the kernel has the switch's datapath.
    """
    cloud = cloud_of(
        hosts,
        platform,
        facts={
            "kernel_openvswitch": kernel,
            "interfaces": {"eth0": ["192.0.2.10/24"], "eth1": ["198.51.100.7/24"]},
        },
        CONFIG_NEUTRON_OVN_BRIDGE_IFACES="br-ex:eth1",
        CONFIG_NEUTRON_OVN_BRIDGES_COMPUTE="br-ex",
        CONFIG_NEUTRON_OVN_TUNNEL_IF="eth1",
    )
    return {step.key: step.resources for step in plan.build(cloud, all_roles())}


@pytest.mark.parametrize(("platform", "kernel"), [*((one, True) for one in SUPPORTED), ("debian-13", False)])
def test_one_more_compute_host_changes_nothing_on_the_others_but_that_it_is_in_the_cell(platform, kernel):
    before, after = planned(BEFORE, platform, kernel), planned((*BEFORE, NEW), platform, kernel)
    assert {host for host, _ in after.keys() - before.keys()} == {NEW}
    changed = [key for key, items in before.items() if after[key] != items]
    assert changed == [("192.0.2.10", "cells")]
    (added,) = set(after[changed[0]]) - set(before[changed[0]])
    assert added.id == "compute-host:h2"
