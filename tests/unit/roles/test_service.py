"""What OpenStack's services have in common holds for all of them, by whichever role they are declared."""

import dataclasses

import pytest

from installer import plan
from installer.answers import generate, load_text
from installer.paths import ROOT
from installer.plan import SWITCHED_OFF
from installer.resources.account import Group, User
from installer.resources.file import Directory, File
from installer.resources.keystone import CloudUser, Endpoint, RoleAssignment
from installer.resources.unit import Unit
from installer.roles import all_roles
from roles import service
from tests.lab.config_validator import FILES
from tests.lab.identity_only import IDENTITY_ONLY
from tests.unit.roles.test_roles import SUPPORTED, cloud_of, content_of, resources_of

#: What a service of OpenStack keeps its settings for oslo.config in.
SETTINGS = (".conf", ".ini")


def units_of(resources):
    ours = [item for item in resources if isinstance(item, Unit) and item.unit.startswith("openstack-")]
    return [item for item in ours if item.active and item.unit.endswith(".service")]


def services_of(resources):
    return {item.user for item in resources if isinstance(item, User) and item.comment.startswith("OpenStack ")}


def test_accounts_have_the_ids_of_rdo_where_these_are_free():
    resources = resources_of(cloud_of())
    users = {item.user: item.preferred_uid for item in resources if isinstance(item, User)}
    groups = {item.group: item.preferred_gid for item in resources if isinstance(item, Group)}
    assert (users["keystone"], users["glance"], users["placement"]) == (163, 161, None)
    assert all(groups[name] == users[name] for name in services_of(resources))


def test_root_alone_writes_what_a_service_reads():
    resources = resources_of(cloud_of())
    for name in services_of(resources):
        inside = [item for item in resources if isinstance(item, (File, Directory)) and item.path == f"/etc/{name}"]
        inside += [item for item in resources if isinstance(item, File) and item.path.startswith(f"/etc/{name}/")]
        assert {item.owner for item in inside} <= {"root"}, name


def test_a_unit_restarts_when_the_operator_changes_settings_of_its_service():
    resources = resources_of(cloud_of())
    folders = {item.path for item in resources if isinstance(item, Directory)}
    for name in ("keystone", "glance", "placement"):
        assert service.additions(name) in folders
    for unit in units_of(resources):
        assert any(path.endswith(".d") and path in folders for path in unit.reads), unit.unit


def test_a_unit_restarts_for_its_own_file_its_environment_and_a_new_release():
    for unit in units_of(resources_of(cloud_of())):
        environment = "/opt/pystack/2026.2-heat" if "-heat-" in unit.unit else "/opt/pystack/2026.2"
        wanted = {f"/etc/systemd/system/{unit.unit}", "/etc/pystack/env", f"{environment}/pystack-stamp.json"}
        assert wanted <= set(unit.reads), unit.unit


def test_the_folders_for_the_operators_own_settings_are_documented():
    told = (ROOT / "docs/own-settings.md").read_text()
    folders = {path for unit in units_of(resources_of(cloud_of())) for path in unit.reads
               if path.startswith("/etc/") and path.endswith(".d")}  # fmt: skip
    assert len(folders) > 3
    for folder in folders:
        assert f"`{folder}`" in told


def test_who_is_given_configuration_files_is_given_the_operators_own_after_them():
    seen = 0
    for item in resources_of(cloud_of()):
        if isinstance(item, File) and item.path.startswith("/etc/systemd/system/openstack-"):
            for line in (item.content or "").splitlines():
                words = line.split()
                if line.startswith("ExecStart=") and "--config-file" in words:
                    seen += 1
                    assert words[-2] == "--config-dir", item.path
                    assert words[-1].endswith(".conf.d"), item.path
    assert seen


def test_arguments_name_the_files_in_order_and_the_operators_own_last():
    assert service.arguments("nova", "/etc/nova/a.conf", "/etc/nova/b.conf") == (
        "--config-file", "/etc/nova/a.conf", "--config-file", "/etc/nova/b.conf",
        "--config-dir", "/etc/nova/nova.conf.d",
    )  # fmt: skip


def test_every_configuration_file_is_known_to_the_validator():
    resources = resources_of(cloud_of())
    for name in services_of(resources):
        for item in resources:
            if isinstance(item, File) and item.path.startswith(f"/etc/{name}/") and item.group == name:
                assert item.path in FILES or not item.path.endswith(SETTINGS), item.path


def test_every_service_logs_in_with_a_user_that_is_made():
    cloud = cloud_of()
    resources = resources_of(cloud)
    made = {item.user: item.password.reveal() for item in resources if isinstance(item, CloudUser)}
    held = {(item.user, item.role) for item in resources if isinstance(item, RoleAssignment)}
    for name in ("glance", "placement"):
        (content,) = [item.content for item in resources if isinstance(item, File) and item.path in FILES
                      and item.path.startswith(f"/etc/{name}/")]  # fmt: skip
        assert f"\nusername = {name}\n" in content
        assert f"\npassword = {made[name]}\n" in content
        assert {(name, "admin"), (name, "service")} <= held


def test_endpoints_are_what_haproxy_serves():
    cloud = cloud_of(("one.example.org",))
    haproxy = content_of(cloud, "/etc/haproxy/haproxy.cfg")
    found = [item for item in resources_of(cloud) if isinstance(item, Endpoint)]
    assert {"identity", "image", "placement"} <= {item.service_type for item in found}
    for item in found:
        scheme, _, place = item.url.partition("://")
        host, _, port = place.split("/")[0].rpartition(":")
        assert (scheme, host) == ("https", "one.example.org")
        assert f"  bind :{port} ssl" in haproxy


def test_users_and_endpoints_come_kind_by_kind():
    kinds = [item.kind for item in resources_of(cloud_of(), role="catalogue")]
    assert len(set(kinds)) == len([kind for kind, before in zip(kinds, [None, *kinds], strict=False) if kind != before])


def test_a_request_that_comes_slowly_keeps_no_worker_busy_but_images_come_as_they_come():
    sections = content_of(cloud_of(), "/etc/haproxy/haproxy.cfg").split("\nlisten ")
    buffered = {section.split()[0]: "http-buffer-request" in section for section in sections[1:]}
    assert buffered.pop("glance") is False
    assert all(buffered.values())


def test_by_itself_an_answer_file_asks_for_the_whole_cloud_but_orchestration():
    answers = load_text(generate(["192.0.2.10"], {"CONFIG_NTP_SERVERS": "192.0.2.1"}), "answers.txt")
    wanted = {role.name for role in all_roles() if role.wanted(dataclasses.replace(cloud_of(), answers=answers))}
    # Where a host has no firewall there is nothing to open.
    assert {role.name for role in all_roles()} - wanted == {"heat", "heat_cfn", "heat_environment", "firewall"}


@pytest.mark.parametrize(
    ("parameters", "roles"),
    [
        (["GLANCE_INSTALL", "PROVISION_DEMO"], {"glance", "test_image"}),
        (["NOVA_INSTALL"], {"nova", "placement", "cells", "compute", "libvirt"}),
        (["NOVA_INSTALL", "NEUTRON_INSTALL"], {"neutron", "neutron_agent", "ovn", "openvswitch"}),
        (["CINDER_INSTALL"], {"cinder", "cinder_volume"}),
        (["HORIZON_INSTALL"], {"horizon"}),
        (["HEAT_INSTALL"], {"heat", "heat_cfn", "heat_environment"}),
        (["HEAT_CFN_INSTALL"], {"heat_cfn"}),
    ],
    ids=lambda value: value[-1] if isinstance(value, list) else "",
)
def test_a_service_that_is_not_asked_for_has_no_role_on_any_host(parameters, roles):
    cloud = cloud_of(**{f"CONFIG_{name}": "n" for name in parameters})
    assert not roles & {step.name for step in plan.build(cloud, all_roles())}


@pytest.mark.parametrize("platform", SUPPORTED)
def test_the_identity_service_can_be_had_alone(platform):
    cloud = cloud_of(platform=platform, **IDENTITY_ONLY, CONFIG_HEAT_INSTALL="n")
    assert {step.name for step in plan.build(cloud, all_roles())} == {
        "accounts", "packages", "switched-off", "base", "time", "tls", "mariadb", "rabbitmq", "memcached", "haproxy",
        "openstack", "keystone", "catalogue", "admin",
    }  # fmt: skip


class TestSwitchedOff:
    cloud = cloud_of(CONFIG_GLANCE_INSTALL="n")

    def test_its_units_are_stopped(self):
        (step,) = [step for step in plan.build(self.cloud, all_roles()) if step.name == SWITCHED_OFF]
        assert Unit("openstack-glance-api.service", enabled=False, active=False) in step.resources
        assert not {item.unit for item in step.resources} & {item.unit for item in resources_of(self.cloud)
                                                             if isinstance(item, Unit)}  # fmt: skip

    def test_clients_are_not_told_of_it_any_more_and_its_user_stays(self):
        resources = resources_of(self.cloud)
        told = {item.interface: item.enabled for item in resources if getattr(item, "service_type", "") == "image"}
        assert told == {"public": False, "internal": False, "admin": False}
        assert not any(isinstance(item, CloudUser) and item.user == "glance" for item in resources)

    def test_its_port_is_closed(self):
        assert ":9292" not in content_of(self.cloud, "/etc/haproxy/haproxy.cfg")

    def test_nothing_is_stopped_where_all_roles_are_wanted(self):
        stopped = {item.unit for step in plan.build(cloud_of(), all_roles()) for item in step.resources
                   if step.name == SWITCHED_OFF}  # fmt: skip
        assert not stopped & {unit.unit for unit in units_of(resources_of(cloud_of()))}


@pytest.mark.parametrize("role", [role for role in all_roles() if role.name not in ("keystone",)], ids=lambda r: r.name)
def test_a_role_names_the_units_of_openstack_that_only_it_runs(role):
    cloud = cloud_of()
    declared = {unit.unit for unit in units_of(resources_of(cloud, role=role.name))}
    assert declared <= set(role.units), f"{role.name}: units = {tuple(sorted(declared))}"
