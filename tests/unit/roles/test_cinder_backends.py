"""Volumes on storage that is not the host's own: sections, clients, keys, and who gets them."""

from __future__ import annotations

import pytest

from installer.resources.distribution_module import DistributionModule
from installer.resources.file import File
from installer.resources.libvirt_secret import LibvirtSecret
from installer.resources.package import Package
from installer.resources.secret import Secret
from installer.resources.unit import Unit
from installer.resources.volume import VolumeBackend, VolumeType
from roles.cinder.backends import BACKENDS
from tests.unit.roles.test_cinder import CONFIGURATION, EVERYTHING, of_type, sections
from tests.unit.roles.test_roles import SUPPORTED, cloud_of, content_of

#: A host for each purpose.
SPREAD = {"CONFIG_STORAGE_HOST": "192.0.2.20", "CONFIG_COMPUTE_HOSTS": "192.0.2.30"}


def spread(*backends, **more):
    """Return a cloud with these backends, and its controller, storage host and compute host."""
    cloud = cloud_of(**{**EVERYTHING, **SPREAD, "CONFIG_CINDER_BACKEND": ",".join(backends), **more})
    return cloud, *(cloud.first(group) for group in ("controller", "storage", "compute"))


def packages(cloud, host, role=None):
    return {item.package for item in of_type(cloud, Package, host, role)}


def the_file(cloud, path, host):
    return next(item for item in of_type(cloud, File, host) if item.path == path)


def unit(cloud, name, host):
    return next(item for item in of_type(cloud, Unit, host) if item.unit == name)


def test_several_backends_of_several_kinds_stand_side_by_side_each_with_a_volume_type():
    names = ("gold", "ceph", "netapp", "silver", "lvm", "nfs", "solidfire")
    cloud, controller, storage, _ = spread(*names)
    found = sections(cloud, storage)
    assert found["DEFAULT"]["enabled_backends"] == ",".join(names)
    assert found["DEFAULT"]["default_volume_type"] == "gold"
    assert [item.name for item in of_type(cloud, VolumeBackend, storage)] == [f"h2@{name}" for name in names]
    ties = {item.type: item.backend for item in of_type(cloud, VolumeType, storage)}
    assert ties == {**{name: name for name in names}, "silver": "cheap"}
    assert {name: found[name]["volume_backend_name"] for name in names} == ties
    assert not set(names) & set(sections(cloud, controller).sections())


@pytest.mark.parametrize("platform", SUPPORTED)
def test_every_backend_is_declared_for_every_platform(platform):
    cloud, _, storage, compute = spread(*BACKENDS, "gold", platform=platform)
    ids = [item.id for host in (storage, compute) for item in of_type(cloud, object, host)]
    assert ids
    assert packages(cloud, storage) >= {"ceph-common", "python3-rados", "python3-rbd", "lvm2"}
    assert packages(cloud, compute) & {"qemu-block-extra", "qemu-kvm-block-rbd", "qemu-block-rbd"}


@pytest.mark.parametrize("backend", ["netapp", "nfs"])
def test_a_compute_host_apart_can_mount_the_shares_that_volumes_lie_on(backend):
    cloud, controller, storage, compute = spread(backend)
    assert "nfs-common" in packages(cloud, compute)
    assert "nfs-common" in packages(cloud, storage)
    assert "nfs-common" not in packages(cloud, controller)


@pytest.mark.parametrize(("backend", "protocol"), [("solidfire", "nfs"), ("netapp", "iscsi"), ("gold", "nfs")])
def test_both_ends_of_iscsi_have_an_initiator(backend, protocol):
    cloud, controller, storage, compute = spread(backend, CONFIG_CINDER_NETAPP_STORAGE_PROTOCOL=protocol)
    for host in (storage, compute):
        assert "open-iscsi" in packages(cloud, host)
        assert unit(cloud, "iscsid.socket", host).active
    assert "open-iscsi" not in packages(cloud, controller)


def test_without_volumes_compute_hosts_get_nothing_for_them():
    cloud = cloud_of(**{**EVERYTHING, **SPREAD, "CONFIG_CINDER_BACKEND": "ceph", "CONFIG_CINDER_INSTALL": "n"})
    compute = cloud.first("compute")
    assert not packages(cloud, compute) & {"nfs-common", "qemu-block-extra"}
    assert not of_type(cloud, LibvirtSecret, compute)
    assert "rbd_user" not in content_of(cloud, "/etc/nova/nova-compute.conf", compute)


# ---- NetApp


def test_netapp_over_nfs_has_its_shares_in_a_file_that_cinder_reads():
    cloud, _, storage, _ = spread("netapp")
    found = dict(sections(cloud, storage)["netapp"])
    assert found["netapp_server_hostname"] == "netapp.example.org"
    assert found["netapp_password"] == "hidden-netapp"
    assert (found["netapp_server_port"], found["netapp_transport_type"]) == ("80", "http")
    assert "netapp_size_multiplier" not in found
    shares = the_file(cloud, found["nfs_shares_config"], storage)
    assert shares.content.splitlines()[1:] == ["192.0.2.51:/volumes", "192.0.2.52:/more"]
    assert (shares.group, shares.mode) == ("cinder", 0o640)
    assert shares.path in unit(cloud, "openstack-cinder-volume.service", storage).reads


def test_netapp_over_iscsi_has_no_shares_and_takes_the_volumes_it_is_told():
    told = {"CONFIG_CINDER_NETAPP_STORAGE_PROTOCOL": "iscsi", "CONFIG_CINDER_NETAPP_VOLUME_LIST": "vol1,^ssd_.*$"}
    cloud, _, storage, _ = spread("netapp", **told)
    found = dict(sections(cloud, storage)["netapp"])
    assert "nfs_shares_config" not in found
    assert found["netapp_pool_name_search_pattern"] == r"vol1,^ssd_.*\$"
    assert found["netapp_size_multiplier"] == "1.0"
    assert not [item for item in of_type(cloud, File, storage) if "shares" in item.path]


# ---- Ceph


def test_cinder_finds_the_cluster_by_files_of_its_own():
    cloud, controller, storage, _ = spread("ceph")
    found = dict(sections(cloud, storage)["ceph"])
    assert (found["rbd_pool"], found["rbd_user"]) == ("volumes", "cinder")
    written = the_file(cloud, found["rbd_ceph_conf"], storage)
    assert "mon_host = 192.0.2.71,[2001:db8::72]:6789\n" in written.content
    keyring = the_file(cloud, "/etc/cinder/ceph.keyring", storage)
    assert f"keyring = {keyring.path}\n" in written.content
    assert keyring.content.splitlines()[1:] == ["[client.cinder]", "key = hiddenCEPHkey=="]
    assert (keyring.group, keyring.mode, keyring.secrets) == ("cinder", 0o640, (Secret("hiddenCEPHkey=="),))
    assert {written.path, keyring.path} <= set(unit(cloud, "openstack-cinder-volume.service", storage).reads)
    assert {item.module for item in of_type(cloud, DistributionModule, storage)} == {"rados", "rbd"}
    assert not [item for item in of_type(cloud, File, controller) if "ceph" in item.path]
    assert not [item for item in of_type(cloud, File, storage) if item.path.startswith("/etc/ceph")]


def test_libvirt_has_the_key_under_the_name_that_cinder_and_nova_give():
    cloud, _, storage, compute = spread("ceph", CONFIG_CINDER_CEPH_USER="volumes")
    (secret,) = of_type(cloud, LibvirtSecret, compute)
    assert (secret.title, secret.value) == ("client.volumes of pystack", Secret("hiddenCEPHkey=="))
    assert sections(cloud, storage)["ceph"]["rbd_secret_uuid"] == secret.uuid
    nova = content_of(cloud, "/etc/nova/nova-compute.conf", compute)
    assert f"rbd_user = volumes\nrbd_secret_uuid = {secret.uuid}\n" in nova
    assert not of_type(cloud, LibvirtSecret, storage)


@pytest.mark.parametrize("backend", ["ceph", "nfs"])
def test_backups_on_ceph_have_a_user_of_their_own(backend):
    cloud, _, storage, _ = spread(backend, CONFIG_CINDER_BACKUP="ceph")
    found = {key: value for key, value in sections(cloud, storage)["DEFAULT"].items() if key.startswith("backup_")}
    assert found == {
        "backup_driver": "cinder.backup.drivers.ceph.CephBackupDriver",
        "backup_ceph_pool": "backups",
        "backup_ceph_user": "cinder-backup",
        "backup_ceph_conf": "/etc/cinder/ceph.conf",
    }
    keys = the_file(cloud, "/etc/cinder/ceph.keyring", storage).content
    assert "[client.cinder-backup]\nkey = hiddenBACKUPkey==\n" in keys
    assert ("[client.cinder]" in keys) == (backend == "ceph")
    assert "/etc/cinder/ceph.keyring" in unit(cloud, "openstack-cinder-backup.service", storage).reads
    assert "ceph-common" in packages(cloud, storage)


@pytest.mark.parametrize("on_ceph", [True, False])
def test_images_are_kept_where_the_answer_file_says_and_old_ones_stay_readable(on_ceph):
    cloud, controller, storage, _ = spread("nfs", CONFIG_GLANCE_BACKEND="ceph" if on_ceph else "file")
    text = content_of(cloud, "/etc/glance/glance-api.conf", controller)
    assert f"enabled_backends = file:file{',ceph:rbd' if on_ceph else ''}\n" in text
    assert f"default_backend = {'ceph' if on_ceph else 'file'}\n" in text
    assert ("rbd_store_pool = images\n" in text) == on_ceph
    assert ("ceph-common" in packages(cloud, controller)) == on_ceph
    assert "ceph-common" not in packages(cloud, storage)
    reads = unit(cloud, "openstack-glance-api.service", controller).reads
    assert ("/etc/glance/ceph.keyring" in reads) == on_ceph


def test_the_source_of_cephs_packages_comes_before_all_packages_and_only_where_it_is_needed():
    name = "centos-release-ceph-squid"
    cloud, controller, storage, compute = spread("ceph", platform="el-10")
    assert [name in packages(cloud, host, "base") for host in (controller, storage, compute)] == [False, True, False]
    cloud, controller, storage, _ = spread("nfs", platform="el-10", CONFIG_GLANCE_BACKEND="ceph")
    assert [name in packages(cloud, host, "base") for host in (controller, storage)] == [True, False]


# ---- options of the operator's


def test_options_are_written_as_they_stand_and_secrets_among_them_are_known():
    cloud, _, storage, _ = spread("gold", "silver", CONFIG_CINDER_BACKEND_PACKAGES="multipath-tools,lsscsi")
    configuration = the_file(cloud, CONFIGURATION, storage)
    gold = configuration.content[configuration.content.index("[gold]") : configuration.content.index("[silver]")]
    assert gold.splitlines()[2:-2] == [
        "volume_backend_name = gold",
        "volume_driver = cinder.volume.drivers.pure.PureISCSIDriver",
        "san_ip = 192.0.2.50",
        r"pure_api_token = hidden\$token",
        "use_multipath_for_image_xfer = true",
        "replication_device = backend_id:a,san_ip:192.0.2.90,api_token:hidden1",
        "replication_device = backend_id:b,san_ip:192.0.2.91,api_token:hidden2",
    ]
    known = {secret.reveal() for secret in configuration.secrets}
    assert {r"hidden\$token", "backend_id:a,san_ip:192.0.2.90,api_token:hidden1"} <= known
    assert not known & {"true", "192.0.2.50", "cheap"}
    assert {"multipath-tools", "lsscsi"} <= packages(cloud, storage)


def test_the_answer_file_shows_no_option_when_it_is_shown():
    answers = cloud_of(**EVERYTHING).answers
    assert "hidden" not in answers.as_text() + repr(answers)
    assert "pure_api_token" not in answers.as_text()
