"""Instances: what each host is told of Nova, and what it must not know."""

from __future__ import annotations

import configparser
import json
import re
from urllib.parse import urlsplit

import pytest

from installer import plan
from installer.resources.account import User
from installer.resources.built_module import BuiltModule
from installer.resources.compute_service import ComputeService
from installer.resources.database_schema import DatabaseSchema
from installer.resources.distribution_module import DistributionModule
from installer.resources.nova_cells import Cell, CellMember
from installer.resources.package import Package
from installer.resources.package_files import PackageFiles
from installer.resources.unit import Unit
from installer.resources.virtual_environment import VirtualEnvironment
from installer.roles import all_roles
from roles.nova import configuration
from tests.unit.roles.test_roles import SUPPORTED, cloud_of, content_of, resources_of

CONTROLLER, COMPUTE = "/etc/nova/nova.conf", "/etc/nova/nova-compute.conf"
KVM = {"kvm": {"works": True, "found": ""}}
APART = {"CONFIG_COMPUTE_HOSTS": "192.0.2.11,192.0.2.12", "CONFIG_NETWORK_HOSTS": "192.0.2.10"}


def sections(cloud, path, host=None):
    parser = configparser.RawConfigParser(default_section="none")
    parser.read_string(content_of(cloud, path, host))
    return parser


def of_type(cloud, kind, host=None, role=None):
    return [item for item in resources_of(cloud, host, role) if isinstance(item, kind)]


def test_nova_compute_knows_no_database_and_the_others_know_two():
    cloud = cloud_of()
    assert not {"database", "api_database"} & set(sections(cloud, COMPUTE).sections())
    found = sections(cloud, CONTROLLER)
    assert found["database"]["connection"].endswith("/nova")
    assert found["api_database"]["connection"].endswith("/nova_api")
    (unit,) = [item for item in of_type(cloud, Unit, role="compute") if item.unit.startswith("openstack-")]
    assert COMPUTE in unit.reads
    assert CONTROLLER not in unit.reads


@pytest.mark.parametrize(
    ("facts", "asked", "kind"),
    [({}, "", "qemu"), (KVM, "", "kvm"), (KVM, "qemu", "qemu"), ({}, "kvm", "kvm")],
)
def test_instances_run_with_kvm_where_it_works_unless_the_answer_file_says(facts, asked, kind):
    libvirt = sections(cloud_of(facts=facts, CONFIG_NOVA_LIBVIRT_VIRT_TYPE=asked), COMPUTE)["libvirt"]
    assert libvirt["virt_type"] == kind
    assert ("cpu_mode" in libvirt) == (kind == "qemu")


def test_another_architecture_gets_no_model_and_no_machine_of_a_pc():
    libvirt = sections(cloud_of(facts={"architecture": "aarch64"}), COMPUTE)["libvirt"]
    assert not {"cpu_models", "hw_machine_type", "num_pcie_ports"} & set(libvirt)


@pytest.mark.parametrize(
    ("groups", "memory", "reserved"), [({}, 8192, 3840), ({}, 4096, 2048), ({}, 512, 512), (APART, 8192, 512)]
)
def test_instances_do_not_get_the_memory_that_the_services_need(groups, memory, reserved):
    cloud = cloud_of(facts={"memory_mib": memory}, **groups)
    host = cloud.group("compute")[0]
    assert sections(cloud, COMPUTE, host)["DEFAULT"]["reserved_host_memory_mb"] == str(reserved)


def test_consoles_listen_on_the_hosts_own_address_and_are_found_at_the_controllers():
    cloud = cloud_of(CONFIG_CONTROLLER_HOST="cloud.example.org", CONFIG_COMPUTE_HOSTS="192.0.2.11")
    vnc = sections(cloud, COMPUTE, cloud.group("compute")[0])["vnc"]
    assert vnc["server_listen"] == vnc["server_proxyclient_address"] == "192.0.2.11"
    assert vnc["novncproxy_base_url"] == "https://cloud.example.org:6080/vnc_lite.html"
    assert sections(cloud, CONTROLLER)["vnc"]["novncproxy_port"] == "16080"


def test_cells_hold_no_password_and_are_made_with_the_tables_by_one_program():
    cloud = cloud_of()
    cells, schemas = of_type(cloud, Cell), of_type(cloud, DatabaseSchema, role="nova_databases")
    assert [cell.cell for cell in cells] == ["cell0", "cell1"]
    assert {schema.database for schema in schemas} == {"nova_api", "nova_cell0", "nova"}
    assert len({(item.argv, item.program) for item in (*cells, *schemas)}) == 1
    assert "hidden" not in str([(cell.argv, cell.transport_url, cell.database_connection) for cell in cells])


@pytest.mark.parametrize("server", ["192.0.2.20", "db.example.org", "2001:db8::20"])
def test_nova_fills_in_a_cells_addresses_as_its_configuration_has_them(server):
    answers = {"CONFIG_MARIADB_HOST": server, "CONFIG_AMQP_HOST": server, "CONFIG_NOVA_DB_PW": "hidden@/:%"}
    cloud = cloud_of(**answers)
    found = sections(cloud, CONTROLLER)
    given = {
        "transport_url": found["DEFAULT"]["transport_url"],
        "database_connection": found["database"]["connection"],
    }
    cell = configuration.cells(cloud)[1]
    for key, address in given.items():
        # As nova/objects/cell_mapping.py does it.
        parts = urlsplit(address)
        values = {name: getattr(parts, name) for name in ("scheme", "username", "password", "hostname", "port")}
        assert cell[key].format(**values, path=parts.path.lstrip("/")) == address
    assert configuration.cells(cloud)[0]["database_connection"].endswith("/nova_cell0")


def test_each_compute_host_is_put_into_the_cell_by_the_name_that_it_says_itself():
    cloud = cloud_of(**APART)
    assert [item.host for item in of_type(cloud, CellMember)] == ["h1", "h2"]
    for host, name in zip(cloud.group("compute"), ("h1", "h2"), strict=True):
        assert [item.host for item in of_type(cloud, ComputeService, host)] == [name]
    needs = {step.key: step.needs for step in plan.build(cloud, all_roles())}["192.0.2.10", "cells"]
    assert {("192.0.2.11", "compute"), ("192.0.2.12", "compute")} <= needs


def test_a_controller_without_instances_has_no_hypervisor():
    cloud = cloud_of(**APART)
    packages = {item.package for item in of_type(cloud, Package)}
    assert not {name for name in packages if "qemu-system" in name or "libvirt" in name}
    (user,) = [item for item in of_type(cloud, User) if item.user == "nova"]
    assert user.groups == ()


@pytest.mark.parametrize("platform", SUPPORTED)
def test_nova_may_ask_libvirt_on_every_platform(platform):
    cloud = cloud_of(platform=platform)
    (user,) = {item for item in of_type(cloud, User) if item.user == "nova"}
    assert user.groups == ("libvirt",)
    packages = {item.package for item in of_type(cloud, Package, role="libvirt")}
    assert packages & {"qemu-system-x86", "qemu-kvm"}


#: Of the platforms, those whose distribution's Python is the one that OpenStack runs with, as its module is for that.
OWN_PYTHON = ("debian-12", "debian-13", "ubuntu-24.04", "el-10")


@pytest.mark.parametrize("platform", OWN_PYTHON)
def test_nova_finds_the_distributions_libvirt_module_where_it_is_for_openstacks_python(platform):
    cloud = cloud_of(platform=platform)
    packages = {item.package for item in of_type(cloud, Package, role="libvirt")}
    assert "python3-libvirt" in packages
    assert not {name for name in packages if "gcc" in name or "-dev" in name}
    (module,) = of_type(cloud, DistributionModule, role="libvirt")
    assert module.folder.startswith("/usr/lib")
    assert not of_type(cloud, BuiltModule)
    made_for = re.search(r"/usr/lib64/python([\d.]+)/", module.folder)
    assert made_for is None or f"/python{made_for.group(1)}/" in module.site


@pytest.mark.parametrize("platform", sorted(set(SUPPORTED) - set(OWN_PYTHON)))
def test_nova_finds_a_libvirt_module_that_is_built_where_the_distributions_is_for_another_python(platform):
    cloud = cloud_of(platform=platform)
    packages = {item.package for item in of_type(cloud, Package, role="libvirt")}
    (built,) = of_type(cloud, BuiltModule)
    (module,) = of_type(cloud, DistributionModule, role="libvirt")
    assert module.folder == built.path == f"/opt/pystack/lib/libvirt-python-12.8.0-python{built.version}"
    assert f"/lib/python{built.version}/" in module.site
    assert "python3-libvirt" not in packages
    assert {"gcc", "pkgconf-pkg-config", "libvirt-devel", f"python{built.version}-devel"} == set(built.packages)
    assert set(built.packages) <= packages
    (unit,) = [item for item in of_type(cloud, Unit, role="compute") if "nova-compute" in item.unit]
    assert f"{built.path}/pystack-stamp.json" in unit.reads


def test_a_module_is_built_after_the_packages_and_the_environment_and_with_the_same_index_and_proxies():
    asked = {"CONFIG_PACKAGE_INDEX": "https://index.example/simple", "CONFIG_HTTPS_PROXY": "http://proxy.example:3128"}
    cloud = cloud_of(platform="el-9", **asked)
    (built,) = of_type(cloud, BuiltModule)
    (environment,) = of_type(cloud, VirtualEnvironment, role="openstack")
    assert (built.index, built.proxies, built.python) == (
        environment.index, environment.proxies, environment.python
    )  # fmt: skip
    assert built.index
    assert built.proxies
    (step,) = [step for step in plan.build(cloud, all_roles()) if built in step.resources]
    assert {(step.host, plan.PACKAGES), (step.host, "openstack")} <= step.needs
    later = {step.key: step.needs for step in plan.build(cloud, all_roles())}[step.host, "compute"]
    assert step.key in later


def test_novncs_pages_come_without_its_package_and_where_there_is_none_consoles_do_too():
    cloud = cloud_of()
    assert "novnc" not in {item.package for item in of_type(cloud, Package)}
    (pages,) = of_type(cloud, PackageFiles, role="nova")
    assert sections(cloud, CONTROLLER)["DEFAULT"]["web"] == pages.path
    other = cloud_of(platform="el-10")
    assert of_type(other, PackageFiles, role="nova") == []
    assert sections(other, CONTROLLER)["DEFAULT"]["web"] == ""


def test_devices_of_the_answer_file_are_lines_of_json():
    alias = {"name": "nic", "vendor_id": "8086", "product_id": "154d", "device_type": "type-PF"}
    device = {"vendor_id": "8086", "product_id": "154d"}
    cloud = cloud_of(
        CONFIG_NOVA_PCI_ALIAS=json.dumps([alias]), CONFIG_NOVA_PCI_PASSTHROUGH_WHITELIST=json.dumps([device])
    )
    assert json.loads(sections(cloud, CONTROLLER)["pci"]["alias"]) == alias
    pci = sections(cloud, COMPUTE)["pci"]
    assert (json.loads(pci["alias"]), json.loads(pci["device_spec"])) == (alias, device)
    assert "pci" not in sections(cloud_of(), COMPUTE)


@pytest.mark.parametrize(("wanted", "active"), [("y", True), ("n", False)])
def test_what_was_deleted_is_cleared_away_every_day_if_the_answer_file_says_so(wanted, active):
    cloud = cloud_of(CONFIG_NOVA_DB_PURGE_ENABLE=wanted)
    (timer,) = [item for item in of_type(cloud, Unit) if item.unit == "openstack-nova-db-purge.timer"]
    assert timer.active is active


def test_the_tables_are_made_together_and_the_cells_among_them_are_no_data_of_somebody_elses():
    made = {item.database: item for item in of_type(cloud_of(), DatabaseSchema, role="nova_databases")}
    assert {name: item.seeded for name, item in made.items()} == {
        "nova_api": (("cell_mappings", 2),),
        "nova_cell0": (),
        "nova": (),
    }
    assert len({(item.argv, item.account, item.env, item.program) for item in made.values()}) == 1


def test_what_looks_for_placement_once_starts_when_the_catalogue_names_it():
    steps = {step.name: step for step in plan.build(cloud_of(), all_roles())}
    for name in ("nova", "compute"):
        assert ("192.0.2.10", "catalogue") in steps[name].needs
    assert ("192.0.2.10", "catalogue") not in steps["nova_databases"].needs
