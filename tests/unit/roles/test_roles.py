"""Every role on every platform: what it declares holds together."""

import dataclasses
import itertools

import pytest

from installer import inventory, plan
from installer.accounts import Account
from installer.answers import generate, load_text
from installer.cloud import Cloud, CloudHost
from installer.numbering import Numbering
from installer.platforms import find, supported
from installer.resources.account import Group, User
from installer.resources.base import from_wire, to_wire
from installer.resources.database import DatabaseAccount
from installer.resources.database_schema import DatabaseSchema
from installer.resources.file import MARK_OF_OURS, Directory, File, Symlink
from installer.resources.host_entry import HostEntry
from installer.resources.package import Package
from installer.resources.repository import Repository
from installer.resources.secret import Secret
from installer.resources.unit import Unit
from installer.roles import all_roles
from installer.tls import Certificates

#: Short names of all platforms that pystack installs on.
SUPPORTED = tuple(platform.name for platform in supported())
CERTIFICATE = (
    "-----BEGIN CERTIFICATE-----\n"
    + "\n".join(letter * 64 for letter in "AbCdE")
    + "\nFg==\n-----END CERTIFICATE-----\n"
)
KEY = "-----BEGIN PRIVATE KEY-----\nhidden0\n-----END PRIVATE KEY-----\n"
#: What stands on every host before pystack comes, or comes with a package of the role.
PRESENT = {
    "/etc", "/etc/haproxy", "/etc/rabbitmq", "/etc/sysconfig", "/etc/my.cnf.d", "/etc/mysql/mariadb.conf.d",
    "/etc/chrony", "/etc/tgt/conf.d", "/etc/sudoers.d",
    "/etc/systemd/system", "/etc/systemd/system/multi-user.target.wants",
    "/opt", "/root", "/var/lib", "/usr/local/share/ca-certificates",
    "/etc/pki/ca-trust/source/anchors",
}  # fmt: skip


def cloud_of(hosts=("192.0.2.10",), platform="debian-13", facts=None, **overrides):
    """Return a cloud with every role on a platform; each secret of its answer file is ``hidden`` and a number."""
    numbers = itertools.count(1)
    overrides = {"CONFIG_NTP_SERVERS": "192.0.2.1", "CONFIG_HEAT_INSTALL": "y", **overrides}
    text = generate(hosts, overrides, make_secret=lambda: f"hidden{next(numbers)}")
    answers = load_text(text, "answers.txt")
    seen = {"memory_mib": 8192, "cores": 4, "virtualization": "kvm", "python": [], **(facts or {})}
    hosts = tuple(
        CloudHost(
            host.address,
            host.groups,
            {
                "hostname": f"h{number}",
                "fqdn": f"h{number}.example.org",
                "addresses": [f"192.0.2.{10 + number}"],
                **seen,
            },
            find(platform),
        )
        for number, host in enumerate(inventory.hosts(answers))
    )
    return Cloud(
        answers, hosts, Certificates(CERTIFICATE, {host.address: (CERTIFICATE, Secret(KEY)) for host in hosts})
    )


def resources_of(cloud, host=None, role=None):
    host = host or cloud.hosts[0]
    return [
        item
        for one in all_roles()
        if one.wanted(cloud) and host.groups & set(one.groups) and role in (None, one.name)
        for item in one.resources(cloud, host)
    ]


def content_of(cloud, path, host=None):
    return next(item.content for item in resources_of(cloud, host) if isinstance(item, File) and item.path == path)


@pytest.mark.parametrize("platform", SUPPORTED)
def test_every_role_is_declared_for_every_platform(platform):
    cloud = cloud_of(platform=platform)
    steps = plan.build(cloud, all_roles())
    wanted = {role.name for role in all_roles() if role.wanted(cloud)}
    assert {step.name for step in steps} == wanted | {"accounts", "packages"}
    assert all(step.resources for step in steps)


def test_a_cloud_of_several_hosts_has_a_plan():
    cloud = cloud_of(
        ("192.0.2.10", "192.0.2.11"), CONFIG_MARIADB_HOST="192.0.2.12", CONFIG_AMQP_HOST="queue.example.org"
    )
    placed = {(step.host, step.name) for step in plan.build(cloud, all_roles())}
    assert ("192.0.2.12", "mariadb") in placed
    assert ("queue.example.org", "rabbitmq") in placed
    assert ("192.0.2.10", "keystone") in placed
    assert ("192.0.2.11", "tls") in placed
    assert ("192.0.2.11", "keystone") not in placed


def test_package_sources_are_packages_of_a_step_that_the_package_transaction_waits_for():
    steps = {step.name: step for step in plan.build(cloud_of(platform="el-9"), all_roles())}
    base, packages = steps["base"], steps["packages"]
    early = [item.package for item in base.resources if isinstance(item, Package)]
    assert early == ["centos-release-nfv-openvswitch", "centos-release-rabbitmq-4", "python3.12"]
    brings = [item.package for item in base.resources if isinstance(item, Package) and item.brings_repositories]
    assert brings == early[:2]
    assert [item.name for item in base.resources if isinstance(item, Repository)] == ["crb"]
    assert not set(early) & {item.package for item in packages.resources}
    assert base.key in packages.needs
    assert packages.key not in base.needs


@pytest.mark.parametrize("platform", SUPPORTED)
def test_a_site_with_mirrors_of_its_own_keeps_the_package_sources_of_its_hosts(platform):
    cloud = cloud_of(platform=platform, CONFIG_ENABLE_REPOSITORIES="n")
    items = [item for step in plan.build(cloud, all_roles()) for item in step.resources]
    assert not [item for item in items if isinstance(item, Repository)]
    assert not [item for item in items if isinstance(item, Package) and item.brings_repositories]
    assert not [item for item in items if isinstance(item, Package) and item.package.startswith("centos-release-")]


@pytest.mark.parametrize("platform", SUPPORTED)
def test_every_file_has_its_folder(platform):
    for step in plan.build(cloud_of(platform=platform), all_roles()):
        known = PRESENT | {"/etc/pystack", "/opt/pystack"}
        for item in step.resources:
            if getattr(item, "absent", False):
                continue
            if isinstance(item, (File, Symlink, Directory)) and "/site-packages/" not in item.path:
                assert item.path.rpartition("/")[0] in known, f"{step.name}: {item.path}"
            if isinstance(item, Directory):
                known.add(item.path)


@pytest.mark.parametrize("platform", SUPPORTED)
def test_every_file_says_that_pystack_made_it_or_has_pystack_in_its_path(platform):
    for item in resources_of(cloud_of(platform=platform)):
        if isinstance(item, File) and not item.absent:
            assert MARK_OF_OURS in (item.content or "").partition("\n")[0] or "pystack" in item.path, item.path


@pytest.mark.parametrize("platform", SUPPORTED)
def test_owners_are_accounts_that_are_made_or_come_with_a_package(platform):
    resources = resources_of(cloud_of(platform=platform))
    users = {item.user for item in resources if isinstance(item, User)} | {"root"}
    groups = {item.group for item in resources if isinstance(item, Group)} | {"root", "rabbitmq"}
    for item in resources:
        if isinstance(item, (File, Directory)):
            assert item.owner in users, item.path
            assert item.group in groups, item.path


@pytest.mark.parametrize("platform", SUPPORTED)
def test_no_secret_shows_in_the_repr_of_a_resource(platform):
    for item in resources_of(cloud_of(platform=platform)):
        assert "hidden" not in repr(item)


def test_a_file_with_a_secret_is_closed_to_others_and_knows_the_secret():
    for item in resources_of(cloud_of()):
        if isinstance(item, File) and "hidden" in (item.content or ""):
            assert item.mode & 0o007 == 0, item.path
            assert any("hidden" in secret.reveal() for secret in item.secrets), item.path


def test_every_resource_can_travel():
    for item in resources_of(cloud_of()):
        assert to_wire(item)["kind"] == item.kind


def test_a_unit_restarts_for_every_file_of_its_role():
    for role in ("mariadb", "rabbitmq", "memcached", "haproxy", "time", "keystone"):
        resources = resources_of(cloud_of(), role=role)
        read = {path for item in resources if isinstance(item, Unit) for path in item.reads}
        assert {item.path for item in resources if isinstance(item, File)} <= read


@pytest.mark.parametrize("platform", SUPPORTED)
def test_blobs_are_files_and_every_one_named_is_there(platform):
    cloud = cloud_of(platform=platform)
    blobs = {digest: path for role in all_roles() for digest, path in role.blobs(cloud).items()}
    assert all(path.is_file() for path in blobs.values())
    installed = [item for item in resources_of(cloud) if item.kind in ("virtual-environment", "built-module")]
    assert {digest for one in installed for digest in (one.lock, one.build_constraints, one.uv)} == set(blobs)


@pytest.mark.parametrize("release", ["2026.1", "2026.2"])
def test_the_environments_follow_the_release(release):
    resources = resources_of(cloud_of(CONFIG_OPENSTACK_RELEASE=release))
    paths = {item.path for item in resources if item.kind == "virtual-environment"}
    assert paths == {f"/opt/pystack/{release}", f"/opt/pystack/{release}-heat"}


def test_an_index_and_proxies_are_passed_on_as_secrets():
    cloud = cloud_of(
        CONFIG_PACKAGE_INDEX="https://u:hidden@index.example.org/simple",
        CONFIG_HTTPS_PROXY="http://proxy.example.org:3128",
        CONFIG_NO_PROXY="a.example.org,b",
    )
    environment = next(item for item in resources_of(cloud) if item.kind == "virtual-environment")
    assert environment.index == Secret("https://u:hidden@index.example.org/simple")
    assert dict(environment.proxies) == {
        "https_proxy": Secret("http://proxy.example.org:3128"),
        "no_proxy": Secret("a.example.org,b"),
    }


@pytest.mark.parametrize(
    ("address", "bound", "listener"),
    [
        ("192.0.2.10", "192.0.2.10", "192.0.2.10:5672"),
        ("2001:db8::10", "2001:db8::10", "2001:db8::10:5672"),
        ("one.example.org", "192.0.2.10", "192.0.2.10:5672"),
        ("localhost", "127.0.0.1", "127.0.0.1:5672"),
    ],
)
def test_database_and_queue_listen_where_the_cloud_reaches_them(address, bound, listener):
    cloud = cloud_of((address,))
    assert f"bind-address = {bound}\n" in content_of(cloud, "/etc/mysql/mariadb.conf.d/99-pystack.cnf")
    assert f"listeners.tcp.1 = {listener}\n" in content_of(cloud, "/etc/rabbitmq/rabbitmq.conf")


def test_every_service_has_its_account_at_the_database():
    cloud = cloud_of()
    accounts = {item.user: item.databases for item in resources_of(cloud) if isinstance(item, DatabaseAccount)}
    tables = {item.account: item.database for item in resources_of(cloud) if isinstance(item, DatabaseSchema)}
    assert set(accounts) >= {"keystone", "glance", "placement"}
    for user, database in tables.items():
        assert database in accounts[user]


def test_the_guest_of_the_queue_is_taken_away():
    guests = [item for item in resources_of(cloud_of(), role="rabbitmq") if getattr(item, "user", "") == "guest"]
    assert [guest.absent for guest in guests] == [True]


def test_haproxy_listens_with_ipv6_where_the_host_has_it():
    path = "/etc/haproxy/haproxy.cfg"
    assert "  bind :5000 ssl" in content_of(cloud_of(), path)
    assert "  bind :::5000 v4v6 ssl" in content_of(cloud_of(facts={"addresses": ["192.0.2.10", "2001:db8::1"]}), path)


@pytest.mark.parametrize(
    ("virtualization", "servers", "packages"),
    [("kvm", "192.0.2.1", ["chrony"]), ("systemd-nspawn", "192.0.2.1", []), ("kvm", "", [])],
)
def test_a_clock_is_set_only_where_it_can_be_and_somebody_says_by_whom(virtualization, servers, packages):
    cloud = cloud_of(facts={"virtualization": virtualization}, CONFIG_NTP_SERVERS=servers)
    assert [item.package for item in resources_of(cloud, role="time") if isinstance(item, Package)] == packages


def test_every_host_knows_its_names_and_those_of_the_hosts_it_connects_to_and_localhost_is_nobodys():
    cloud = cloud_of(
        ("192.0.2.10", "two.example.org", "192.0.2.12"),
        CONFIG_MARIADB_HOST="192.0.2.13",
        CONFIG_AMQP_HOST="192.0.2.14",
    )
    controller = ("192.0.2.10", ("h0.example.org", "h0"))
    own = ("192.0.2.11", ("two.example.org", "h1.example.org", "h1"))
    serving = [(f"192.0.2.1{number}", (f"h{number}.example.org", f"h{number}")) for number in (3, 4)]
    for host, known in ((cloud.hosts[0], [controller, *serving]), (cloud.hosts[1], [controller, own, *serving])):
        entries = [item for item in resources_of(cloud, host, "base") if isinstance(item, HostEntry)]
        assert [(entry.address, entry.names) for entry in entries] == known
    assert not any(isinstance(item, HostEntry) for item in resources_of(cloud_of(("localhost",)), role="base"))
    unnamed = cloud_of(facts={"hostname": "localhost", "fqdn": "localhost.localdomain"})
    assert not any(isinstance(item, HostEntry) for item in resources_of(unnamed, role="base"))


@pytest.mark.parametrize(
    ("facts", "asked", "workers"),
    [
        ({"memory_mib": 4096, "cores": 8}, "", 1),
        ({"memory_mib": 16384, "cores": 2}, "", 2),
        ({"memory_mib": 16384, "cores": 16}, "", 6),
        ({"memory_mib": 262144, "cores": 64}, "", 8),
        ({"memory_mib": 4096, "cores": 1}, "3", 3),
    ],
)
def test_workers_fit_the_host_unless_the_answer_file_says(facts, asked, workers):
    cloud = cloud_of(facts=facts, CONFIG_SERVICE_WORKERS=asked)
    assert f"processes = {workers}\n" in content_of(cloud, "/etc/pystack/uwsgi/keystone.ini")


def test_two_authorities_are_trusted_one_by_one():
    cloud = cloud_of()
    second = CERTIFICATE.replace("E" * 64, "Z" * 64)
    cloud = Cloud(cloud.answers, cloud.hosts, Certificates(CERTIFICATE + second, cloud.certificates.servers))
    resources = resources_of(cloud, role="tls")
    assert [item.content for item in resources if isinstance(item, File)][:2] == [CERTIFICATE, second]
    assert [item.unless[-2] for item in resources if item.kind == "command"] == ["E" * 64, "Z" * 64]


def test_the_admin_logs_in_as_the_answer_file_says():
    cloud = cloud_of(CONFIG_KEYSTONE_ADMIN_USERNAME="o'brien", CONFIG_KEYSTONE_REGION="North")
    script = content_of(cloud, "/root/keystonerc_admin")
    assert "export OS_USERNAME='o'\"'\"'brien'\n" in script
    assert "export OS_AUTH_URL=https://192.0.2.10:5000/v3\n" in script
    assert "export OS_CACERT=/etc/ssl/certs/ca-certificates.crt\n" in script
    assert '    region_name: "North"\n' in content_of(cloud, "/etc/openstack/clouds.yaml")


@pytest.mark.parametrize("platform", SUPPORTED)
def test_whatever_downloads_packages_goes_through_the_proxy_of_the_answer_file(platform):
    cloud = cloud_of(platform=platform, CONFIG_HTTP_PROXY="http://proxy.example:3128", CONFIG_NO_PROXY="a,b")
    steps = plan.build(cloud, all_roles())
    expected = {"http_proxy": "http://proxy.example:3128", "no_proxy": "a,b"}
    everything = [item for step in steps for item in step.resources]
    through = [item.proxies for item in everything if isinstance(item, plan.FROM_SOURCES)]
    assert [{name: value.reveal() for name, value in item} for item in through] == [expected] * len(through)
    assert everything == [from_wire(to_wire(item)) for item in everything]


@pytest.mark.parametrize("platform", SUPPORTED)
def test_every_account_that_a_role_makes_is_one_that_preflight_asks_for(platform):
    cloud = cloud_of(platform=platform)
    for role in (role for role in all_roles() if role.wanted(cloud)):
        made = [item for item in role.resources(cloud, cloud.hosts[0]) if isinstance(item, (User, Group))]
        known = {account.name: account for account in role.accounts(cloud.hosts[0]) if not account.maker}
        assert {item.name for item in made} == set(known), role.name
        assert {item.name for item in made if isinstance(item, User)} == {
            name for name, account in known.items() if not account.only_group
        }


def test_relocated_accounts_of_packages_are_made_before_the_packages_with_the_settled_numbers():
    cloud = cloud_of(CONFIG_UID_CONFLICTS="relocate")
    mysql = Account("mysql", 27, maker="mariadb-server", home="/var/lib/mysql", title="MariaDB")
    settled = Numbering(
        {("user", "mysql"): 600, ("group", "mysql"): 600, ("user", "nova"): 601}, {cloud.hosts[0].address: (mysql,)}
    )
    steps = {step.name: step for step in plan.build(dataclasses.replace(cloud, numbering=settled), all_roles())}
    made = {item.id: item for item in steps[plan.ACCOUNTS].resources}
    assert made["group:mysql"] == Group("mysql", preferred_gid=600, in_front=True)
    assert made["user:mysql"] == User(
        "mysql", "mysql", preferred_uid=600, home="/var/lib/mysql", comment="MariaDB", in_front=True
    )
    assert (made["user:nova"].preferred_uid, made["group:nova"].preferred_gid) == (601, 162)
    assert steps[plan.ACCOUNTS].key in steps[plan.PACKAGES].needs
