"""Volumes: what the answer file asks for becomes sections, packages, volume types and units where they belong."""

from __future__ import annotations

import configparser

import pytest

from installer import plan
from installer.resources.file import Directory, File, Symlink
from installer.resources.package import Package
from installer.resources.unit import Unit
from installer.resources.volume import VolumeBackend, VolumeType
from installer.resources.volume_group import VolumeGroup
from installer.roles import all_roles
from roles.cinder.backends import BACKENDS
from tests.unit.roles.test_roles import SUPPORTED, cloud_of, content_of, resources_of

CONFIGURATION = "/etc/cinder/cinder.conf"
NFS = {"CONFIG_CINDER_BACKEND": "nfs", "CONFIG_CINDER_NFS_MOUNTS": "192.0.2.9:/volumes,[2001:db8::9]:/more"}
BOTH = {**NFS, "CONFIG_CINDER_BACKEND": "nfs,lvm"}
#: All that any kind of backend must be told.
EVERYTHING = {
    **NFS,
    "CONFIG_CINDER_NETAPP_LOGIN": "admin",
    "CONFIG_CINDER_NETAPP_PASSWORD": "hidden-netapp",
    "CONFIG_CINDER_NETAPP_HOSTNAME": "netapp.example.org",
    "CONFIG_CINDER_NETAPP_VSERVER": "svm1",
    "CONFIG_CINDER_NETAPP_NFS_SHARES": "192.0.2.51:/volumes,192.0.2.52:/more",
    "CONFIG_CINDER_SOLIDFIRE_LOGIN": "admin",
    "CONFIG_CINDER_SOLIDFIRE_PASSWORD": "hidden-solidfire",
    "CONFIG_CINDER_SOLIDFIRE_HOSTNAME": "192.0.2.60",
    "CONFIG_CEPH_MONITORS": "192.0.2.71,[2001:db8::72]:6789",
    "CONFIG_CINDER_CEPH_KEY": "hiddenCEPHkey==",
    "CONFIG_CINDER_BACKUP_CEPH_KEY": "hiddenBACKUPkey==",
    "CONFIG_GLANCE_CEPH_KEY": "hiddenGLANCEkey==",
    "CONFIG_CINDER_BACKEND_OPTIONS": """
[gold]
volume_driver = cinder.volume.drivers.pure.PureISCSIDriver
san_ip = 192.0.2.50
pure_api_token = hidden$token
use_multipath_for_image_xfer = true
replication_device = backend_id:a,san_ip:192.0.2.90,api_token:hidden1
replication_device = backend_id:b,san_ip:192.0.2.91,api_token:hidden2

[silver]
volume_driver: cinder.volume.drivers.nfs.NfsDriver
volume_backend_name: cheap
nas_host: 192.0.2.80
""",
}
APART = {"CONFIG_STORAGE_HOST": "192.0.2.20"}


def sections(cloud, host=None):
    # What an operator gives may be there several times.
    parser = configparser.RawConfigParser(default_section="none", strict=False)
    parser.read_string(content_of(cloud, CONFIGURATION, host))
    return parser


def of_type(cloud, kind, host=None, role=None):
    return [item for item in resources_of(cloud, host, role) if isinstance(item, kind)]


def test_each_backend_has_a_section_a_volume_type_and_a_proof_that_it_works():
    cloud = cloud_of(**BOTH)
    found = sections(cloud)
    assert found["DEFAULT"]["enabled_backends"] == "nfs,lvm"
    for name in ("nfs", "lvm"):
        assert found[name]["volume_backend_name"] == name
    assert [(item.type, item.backend) for item in of_type(cloud, VolumeType)] == [("nfs", "nfs"), ("lvm", "lvm")]
    assert [item.name for item in of_type(cloud, VolumeBackend)] == ["h0@nfs", "h0@lvm"]


@pytest.mark.parametrize("order", ["lvm,nfs", "nfs,lvm"])
def test_the_first_backend_has_the_default_volume_type(order):
    cloud = cloud_of(**{**NFS, "CONFIG_CINDER_BACKEND": order})
    assert sections(cloud)["DEFAULT"]["default_volume_type"] == order.split(",")[0]


@pytest.mark.parametrize("name", BACKENDS)
def test_a_backend_alone_brings_nothing_of_the_others(name):
    cloud = cloud_of(**{**EVERYTHING, "CONFIG_CINDER_BACKEND": name})
    assert [section for section in sections(cloud).sections() if section in BACKENDS] == [name]


def test_the_volume_group_is_the_answer_files_and_its_address_the_hosts():
    lvm = sections(cloud_of(CONFIG_CINDER_VOLUME_NAME="site.vg"))["lvm"]
    assert lvm["volume_group"] == "site.vg"
    assert lvm["target_ip_address"] == "192.0.2.10"


def test_shares_stand_one_per_line_in_a_file_that_only_cinder_reads():
    cloud = cloud_of(**NFS)
    (shares,) = [item for item in of_type(cloud, File) if item.path == "/etc/cinder/nfs_shares"]
    assert [line for line in shares.content.splitlines() if not line.startswith("#")] == [
        "192.0.2.9:/volumes",
        "[2001:db8::9]:/more",
    ]
    assert (shares.owner, shares.group, shares.mode) == ("root", "cinder", 0o640)
    volume = next(item for item in of_type(cloud, Unit) if item.unit == "openstack-cinder-volume.service")
    assert shares.path in volume.reads


def test_storage_apart_from_the_controller_has_the_backends_and_the_controller_has_not():
    cloud = cloud_of(**BOTH, **APART)
    controller, storage = cloud.hosts[0], next(host for host in cloud.hosts if host.address == "192.0.2.20")
    assert not set(BACKENDS) & set(sections(cloud, controller).sections())
    assert "keystone_authtoken" not in sections(cloud, storage).sections()
    assert {item.unit for item in of_type(cloud, Unit, controller) if "cinder" in item.unit} == {
        "openstack-cinder-api.service",
        "openstack-cinder-scheduler.service",
        "openstack-cinder-db-purge.timer",
    }
    assert {item.unit for item in of_type(cloud, Unit, storage) if "cinder" in item.unit and item.active} == {
        "openstack-cinder-volume.service"
    }
    steps = {step.key: step for step in plan.build(cloud, all_roles())}
    needs = steps["192.0.2.20", "cinder_volume"].needs
    assert {("192.0.2.10", "cinder"), ("192.0.2.10", "catalogue"), ("192.0.2.20", "openstack")} <= needs


@pytest.mark.parametrize("platform", SUPPORTED)
def test_the_programs_that_drivers_call_are_installed(platform):
    cloud = cloud_of(platform=platform, **BOTH)
    packages = {item.package for item in of_type(cloud, Package, role="cinder_volume")}
    assert packages >= {"lvm2", "sudo"}
    assert packages & {"nfs-common", "nfs-utils"}
    assert packages & {"qemu-utils", "qemu-img"}
    assert "lvm2" in packages


def test_without_lvm_no_iscsi_target_is_installed_and_its_port_is_free():
    cloud = cloud_of(**NFS)
    packages = {item.package for item in of_type(cloud, Package, role="cinder_volume")}
    assert not packages & {"lvm2", "thin-provisioning-tools"}
    role = next(role for role in all_roles() if role.name == "cinder_volume")
    assert not role.ports(cloud, cloud.hosts[0])
    assert set(role.ports(cloud_of(**BOTH), cloud.hosts[0])) == {3260}


@pytest.mark.parametrize(
    ("answers", "settings"),
    [
        ({}, {}),
        (
            {"CONFIG_CINDER_BACKUP": "posix", "CONFIG_CINDER_BACKUP_PATH": "/srv/backup"},
            {"backup_driver": "cinder.backup.drivers.posix.PosixBackupDriver", "backup_posix_path": "/srv/backup"},
        ),
        (
            {"CONFIG_CINDER_BACKUP": "nfs", "CONFIG_CINDER_BACKUP_SHARE": "192.0.2.9:/b"},
            {"backup_driver": "cinder.backup.drivers.nfs.NFSBackupDriver", "backup_share": "192.0.2.9:/b"},
        ),
    ],
    ids=["none", "a folder", "a share"],
)
def test_backups_are_made_where_the_answer_file_says(answers, settings):
    cloud = cloud_of(**NFS, **answers)
    found = sections(cloud)["DEFAULT"]
    assert {key: value for key, value in found.items() if key.startswith("backup_")} == settings
    (unit,) = [item for item in of_type(cloud, Unit) if item.unit == "openstack-cinder-backup.service"]
    assert (unit.enabled, unit.active) == (bool(settings), bool(settings))
    folders = {item.path for item in of_type(cloud, Directory)}
    assert ("/srv/backup" in folders) == (settings.get("backup_posix_path") == "/srv/backup")


def test_without_the_volume_service_nothing_of_it_is_left_in_the_plan():
    cloud = cloud_of(CONFIG_CINDER_INSTALL="n")
    assert not [item.id for item in resources_of(cloud) if "cinder" in item.id]


def test_without_the_image_service_none_is_named():
    assert "glance_api_servers" not in sections(cloud_of(**NFS, CONFIG_GLANCE_INSTALL="n"))["DEFAULT"]


@pytest.mark.parametrize("asked", ["y", "n"])
def test_what_was_deleted_leaves_the_database_if_the_answer_file_says_so(asked):
    cloud = cloud_of(CONFIG_CINDER_DB_PURGE_ENABLE=asked)
    (timer,) = [item for item in of_type(cloud, Unit, role="cinder") if item.unit.endswith(".timer")]
    assert (timer.enabled, timer.active) == (asked == "y", asked == "y")
    programs = [item.content for item in of_type(cloud, File, role="cinder") if item.path.endswith("db-purge.service")]
    assert [" db purge 30\n" in text for text in programs] == ([True] if asked == "y" else [])


@pytest.mark.parametrize("platform", SUPPORTED)
def test_what_restores_the_iscsi_targets_at_boot_is_what_saved_them(platform):
    cloud = cloud_of(platform=platform, CONFIG_CINDER_BACKEND="lvm")
    packages = {item.package for item in of_type(cloud, Package)}
    links = {item.path for item in of_type(cloud, Symlink)}
    own = "/etc/systemd/system/multi-user.target.wants/openstack-cinder-target.service"
    # Of a distribution it would be older, and could not read what Cinder's has written.
    assert not any(name.startswith("targetcli") for name in packages)
    assert (own in links) is ("tgt" not in packages)


@pytest.mark.parametrize(
    ("platform", "theirs"), [("debian-13", "rtslib-fb-targetctl.service"), ("el-10", "target.service")]
)
def test_targets_of_somebody_else_are_restored_first_by_the_unit_of_the_distribution(platform, theirs):
    cloud = cloud_of(platform=platform, CONFIG_CINDER_BACKEND="lvm")
    (unit,) = [item.content for item in of_type(cloud, File) if item.path.endswith("openstack-cinder-target.service")]
    after = [word for line in unit.splitlines() if line.startswith("After=") for word in line[6:].split()]
    assert [name for name in after if "target" in name and name.endswith(".service")] == [theirs]


def test_a_volume_group_is_made_in_a_file_only_where_there_is_none_of_its_name():
    theirs = {"name": "cinder-volumes", "devices": {"p1": {"file": ""}}}
    ours = {"name": "cinder-volumes", "devices": {"p1": {"file": "/var/lib/pystack/volume-groups/cinder-volumes.img"}}}
    for groups, made in (((), True), ((theirs,), False), ((ours,), True)):
        cloud = cloud_of(facts={"volume_groups": groups}, CONFIG_CINDER_BACKEND="lvm", CONFIG_CINDER_VOLUMES_CREATE="y")
        units = {item.unit for item in of_type(cloud, Unit, role="cinder_volume")}
        assert ("pystack-volume-group.service" in units) is made
        (group,) = of_type(cloud, VolumeGroup)
        assert bool(group.file) is made


@pytest.mark.parametrize("backend", ["nfs", "lvm"])
def test_hosts_of_instances_have_what_attaches_volumes(backend):
    cloud = cloud_of(CONFIG_CINDER_BACKEND=backend, CONFIG_CINDER_NFS_MOUNTS="192.0.2.9:/v")
    packages = {item.package for item in of_type(cloud, Package, role="compute")}
    assert {"nfs": "nfs-common", "lvm": "open-iscsi"}[backend] in packages
