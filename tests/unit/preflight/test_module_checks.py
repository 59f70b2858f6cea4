"""Ceph's modules of the distribution: on which platforms and hosts they do, and where they are asked for."""

from __future__ import annotations

import pytest

from installer.platforms import find
from installer.preflight.module_checks import ceph
from installer.preflight.seen import Seen
from tests.unit.roles.test_cinder import EVERYTHING
from tests.unit.roles.test_roles import SUPPORTED, cloud_of

#: Of the platforms, those whose distribution's Python is the one that OpenStack runs with.
OWN_PYTHON = ["debian-12", "debian-13", "el-10", "ubuntu-24.04"]
APART = {"CONFIG_STORAGE_HOST": "192.0.2.20", "CONFIG_COMPUTE_HOSTS": "192.0.2.30"}
CEPH = {"CONFIG_CEPH_MONITORS": "192.0.2.71"}


def told(platform, **answers):
    """Return for each host of a cloud, by its group, what is said of it and how bad that is."""
    cloud = cloud_of(platform=platform, **{**EVERYTHING, **APART, **CEPH, **answers})
    groups = ("controller", "storage", "compute")
    return {
        group: finding for group in groups for host in cloud.group(group) for finding in ceph(Seen(cloud, host, {}, {}))
    }


@pytest.mark.parametrize("platform", SUPPORTED)
def test_ceph_is_refused_where_its_modules_are_for_another_python(platform):
    (finding,) = told(platform, CONFIG_CINDER_BACKEND="ceph").values()
    assert finding.outcome == ("success" if platform in OWN_PYTHON else "fail")
    if finding.failed:
        assert f"one of: {'; '.join(str(find(name)) for name in OWN_PYTHON)};" in finding.remedy
        assert finding.why.startswith("CONFIG_CINDER_BACKEND asks")


@pytest.mark.parametrize(
    ("answers", "groups"),
    [
        ({"CONFIG_CINDER_BACKEND": "nfs"}, []),
        ({"CONFIG_CINDER_BACKEND": "ceph"}, ["storage"]),
        ({"CONFIG_CINDER_BACKEND": "nfs", "CONFIG_CINDER_BACKUP": "ceph"}, ["storage"]),
        ({"CONFIG_CINDER_BACKEND": "nfs", "CONFIG_GLANCE_BACKEND": "ceph"}, ["controller"]),
        ({"CONFIG_CINDER_BACKEND": "ceph", "CONFIG_GLANCE_BACKEND": "ceph"}, ["controller", "storage"]),
    ],
)
def test_only_hosts_that_would_use_them_are_looked_at(answers, groups):
    assert list(told("el-9", **answers)) == groups
