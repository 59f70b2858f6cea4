"""Orchestration: its environment of its own, its domain, its key, and its two APIs."""

import configparser

import pytest

from installer import plan
from installer.resources.file import File, Symlink
from installer.resources.keystone import CloudUser, Domain, Endpoint, RoleAssignment
from installer.resources.secret import Secret
from installer.resources.unit import Unit
from installer.roles import all_roles
from roles.heat.role import encryption_key
from tests.unit.roles.test_roles import cloud_of, content_of, resources_of

CONFIGURATION = "/etc/heat/heat.conf"
OWN, SHARED = "/opt/pystack/2026.2-heat/", "/opt/pystack/2026.2/"


def sections(**overrides):
    parser = configparser.RawConfigParser(default_section="none")
    parser.read_string(content_of(cloud_of(**overrides), CONFIGURATION))
    return parser


def of_type(kind, **overrides):
    return [item for item in resources_of(cloud_of(**overrides)) if isinstance(item, kind)]


def test_heat_lives_in_its_own_environment_and_nobody_else_does():
    seen = 0
    for item in resources_of(cloud_of()):
        if item.kind == "virtual-environment" or item.id == "file:/etc/pystack/env":
            continue
        text = (item.content or "") if isinstance(item, File) else repr(item)
        heat = "heat" in item.id
        assert (SHARED if heat else OWN) not in text, item.id
        seen += heat and OWN in text
    assert seen > 8


def test_its_environment_is_made_while_keystone_is_and_after_the_shared_one():
    steps = {step.name: step for step in plan.build(cloud_of(), all_roles())}
    needs = {name for _, name in steps["heat_environment"].needs}
    assert needs == {"openstack", "accounts"}
    assert "heat_environment" in {name for _, name in steps["heat"].needs}


def test_without_it_there_is_no_environment():
    environments = [item.path for item in resources_of(cloud_of(CONFIG_HEAT_INSTALL="n"))
                    if item.kind == "virtual-environment"]  # fmt: skip
    assert environments == [SHARED.rstrip("/")]


def test_users_of_stacks_live_in_the_domain_of_the_answer_file_with_its_administrator():
    names = {"CONFIG_HEAT_DOMAIN": "stacks", "CONFIG_HEAT_DOMAIN_ADMIN": "its admin"}
    (domain,) = [item.domain for item in of_type(Domain, **names)]
    (admin,) = [item for item in of_type(CloudUser, **names) if item.domain == "stacks"]
    held = [item for item in of_type(RoleAssignment, **names) if item.domain]
    assert (domain, admin.user) == ("stacks", "its admin")
    assert [(item.user, item.role, item.domain, item.user_domain) for item in held] == [
        ("its admin", "admin", "stacks", "stacks")
    ]
    default = sections(**names)["DEFAULT"]
    assert default["stack_user_domain_name"] == "stacks"
    assert default["stack_domain_admin"] == "its admin"
    assert default["stack_domain_admin_password"] == admin.password.reveal()


def test_a_trust_is_used_with_heats_own_login_and_names_no_project():
    trustee = sections()["trustee"]
    assert (trustee["username"], trustee["password"]) == ("heat", sections()["keystone_authtoken"]["password"])
    assert not [key for key in trustee if "project" in key]


@pytest.mark.parametrize("given", ["", "short", "x" * 31, "x" * 33, "ü" * 32, "ü" * 16])
def test_a_key_of_another_length_becomes_one_that_heat_takes(given):
    made = encryption_key(Secret(given)).reveal()
    assert len(made) == len(made.encode()) == 32
    assert made == encryption_key(Secret(given)).reveal()
    assert made not in {encryption_key(Secret(given + more)).reveal() for more in ("y", "z")}


def test_a_key_of_the_right_length_is_taken_as_it_is():
    key = Secret("0123456789abcdef0123456789abcde$")
    assert encryption_key(key) is key
    found = sections(CONFIG_HEAT_AUTH_ENC_KEY=key.reveal())["DEFAULT"]["auth_encryption_key"]
    assert found == key.reveal().replace("$", "\\$")


@pytest.mark.parametrize(("asked", "workers"), [("", "1"), ("5", "5")])
def test_the_engine_has_as_many_workers_as_an_api(asked, workers):
    assert sections(CONFIG_SERVICE_WORKERS=asked)["DEFAULT"]["num_engine_workers"] == workers


class TestCloudFormation:
    UNIT = "openstack-heat-api-cfn.service"

    def test_its_requests_are_checked_with_a_login(self):
        login = sections()["ec2authtoken"]
        assert (login["username"], login["endpoint_override"]) == ("heat", "https://192.0.2.10:5000")
        assert ":8000 ssl" in content_of(cloud_of(), "/etc/haproxy/haproxy.cfg")

    def test_without_it_stacks_do_not_use_it(self):
        found = sections(CONFIG_HEAT_CFN_INSTALL="n")
        assert "ec2authtoken" not in found
        assert found["DEFAULT"]["default_software_config_transport"] == "POLL_SERVER_HEAT"
        assert found["DEFAULT"]["default_deployment_signal_transport"] == "HEAT_SIGNAL"

    def test_without_it_only_it_is_switched_off(self):
        cloud = cloud_of(CONFIG_HEAT_CFN_INSTALL="n")
        told = {item.service_type: item.enabled for item in resources_of(cloud) if isinstance(item, Endpoint)}
        assert (told["orchestration"], told["cloudformation"]) == (True, False)
        haproxy = content_of(cloud, "/etc/haproxy/haproxy.cfg")
        assert ":8004 ssl" in haproxy
        assert ":8000 ssl" not in haproxy
        stopped = {item.unit for step in plan.build(cloud, all_roles()) if step.name == plan.SWITCHED_OFF
                   for item in step.resources if isinstance(item, Unit)}  # fmt: skip
        assert stopped == {self.UNIT}


@pytest.mark.parametrize(
    ("answers", "said"),
    [
        ({}, "false"),
        ({"CONFIG_CINDER_BACKUP": "posix"}, None),
        ({"CONFIG_CINDER_BACKUP": "posix", "CONFIG_CINDER_INSTALL": "n"}, "false"),
    ],
    ids=["no backups", "backups", "no volumes"],
)
def test_templates_may_ask_for_backups_where_there_are_any(answers, said):
    found = sections(**answers)
    assert found.get("volumes", "backups_enabled", fallback=None) == said


def test_the_operator_may_add_to_what_every_stack_knows():
    links = {item.path: item.target for item in of_type(Symlink) if item.path.startswith("/etc/heat/")}
    assert links["/etc/heat/environment.d/default.yaml"] == f"{OWN}etc/heat/environment.d/default.yaml"
    (engine,) = [item for item in of_type(Unit) if item.unit == "openstack-heat-engine.service"]
    assert "/etc/heat/environment.d" in engine.reads
