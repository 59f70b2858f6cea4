"""Database, queue, virtual environment and Keystone on a real host, through a real agent; looked at with the libraries
that OpenStack's services use."""

from __future__ import annotations

import os
import shlex
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from installer import lab
from installer.resources import load_all
from installer.resources.account import Group, User
from installer.resources.base import Resource
from installer.resources.command import Command
from installer.resources.database import Database, DatabaseAccount, DatabaseAdministrator
from installer.resources.database_schema import DatabaseSchema
from installer.resources.file import Directory, File
from installer.resources.keystone import (
    INTERFACES,
    CloudRole,
    CloudUser,
    Domain,
    Endpoint,
    Project,
    RoleAssignment,
    Service,
)
from installer.resources.keystone_api import KeystoneApi
from installer.resources.keystone_bootstrap import Bootstrap
from installer.resources.message_queue import QueueAccount
from installer.resources.package import Package
from installer.resources.secret import Secret
from installer.resources.sql import DatabaseServer, option_file, password_hash
from installer.resources.unit import Unit
from installer.urls import database_url, queue_url
from tests.lab.services_host import HOME, NASTY, Services, digest

pytestmark = [pytest.mark.lab, pytest.mark.shows("resources"), pytest.mark.timeout(900)]

HOST = "rs-services"


@pytest.fixture(scope="module")
def services() -> Iterator[Services]:
    if os.geteuid() != 0:
        pytest.skip("making lab hosts needs root")
    load_all()
    if HOST in [host.name for host in lab.hosts()]:
        lab.down([HOST])
    (host,) = lab.up([HOST])
    driven = Services(host)
    roles = [driven.facts(role) for role in ("mariadb", "rabbitmq", "memcached")]
    driven.converge(*driven.sources())
    driven.converge(
        *(Package(facts["package"]) for facts in roles),
        *(Unit(facts["unit"]) for facts in roles),
        Directory("/opt/pystack"),
        driven.environment(),
    )
    yield driven
    assert host.run("test -e ~/owned -o -e /owned").returncode == 1, "a password was run by a shell"
    driven.session().close()
    lab.down([HOST])


def test_databases_and_accounts_with_any_password_are_there_once(services: Services) -> None:
    wanted: list[Resource] = [Database("nova_api"), Database("keystone")]
    wanted += [
        DatabaseAccount(f"user{number}", "%", Secret(password), ("nova_api", "keystone"))
        for number, password in enumerate(NASTY)
    ]
    assert services.converge(*wanted) == [resource.id for resource in wanted]
    for number, password in enumerate(NASTY):
        services.host.run(f"umask 077; printf %s {shlex.quote(option_file(password))} > /root/client.cnf", check=True)
        seen = services.sh(
            f"mariadb --defaults-extra-file=/root/client.cnf -h 127.0.0.1 -u user{number} --skip-ssl-verify-server-cert"
            " -N -e 'select current_user()' nova_api"
        )
        assert seen == f"user{number}@%"


def test_services_log_in_to_the_database_with_the_address_from_their_configuration(services: Services) -> None:
    urls = [
        database_url(f"user{number}", Secret(password), "127.0.0.1", "nova_api").reveal()
        for number, password in enumerate(NASTY)
    ]
    program = """
import json, sys, tempfile
from oslo_config import cfg
from oslo_db import options
from oslo_db.sqlalchemy import enginefacade
seen = []
for url in json.load(sys.stdin):
    with tempfile.NamedTemporaryFile("w", suffix=".conf") as file:
        print("[database]", "connection = " + url, sep="\\n", file=file, flush=True)
        conf = cfg.ConfigOpts()
        options.set_defaults(conf)
        conf(["--config-file", file.name])
    context = enginefacade.transaction_context()
    context.configure(connection=conf.database.connection)
    with context.writer.get_engine().connect() as connection:
        seen.append(connection.exec_driver_sql("select current_user()").scalar())
print(json.dumps(seen))
"""
    assert services.python(program, urls) == [f"user{number}@%" for number in range(len(NASTY))]


def test_what_an_account_must_not_have_is_taken_away_and_others_keep_theirs(services: Services) -> None:
    services.sh(
        "mariadb -e \"create database other; create user operator@'%' identified by 'x';"
        " grant all on nova_api.* to operator@'%'; grant process on *.* to user0@'%';"
        " grant select on other.* to user0@'%' with grant option; revoke drop on keystone.* from user0@'%';"
        " grant all on nova_api.* to user0@'%'\""
    )
    account = DatabaseAccount("user0", "%", Secret(NASTY[0]), ("nova_api", "keystone"))
    assert services.plan(account)[0]["lines"] == [
        "  on *.*: some -> absent",
        "  on keystone: some -> all",
        "  on nova_api: all -> absent",
        "  on other: some, and to grant it -> absent",
    ]
    services.converge(account)
    assert len(services.sh("mariadb -N -e \"show grants for user0@'%'\"").splitlines()) == 3
    assert "`nova_api`" in services.sh("mariadb -N -e \"show grants for operator@'%'\"")


def test_an_empty_database_gets_its_character_set_and_one_in_use_keeps_it(services: Services) -> None:
    services.sh("mariadb -e 'create database old character set latin1'")
    assert services.converge(Database("old")) == ["database:old"]
    services.sh("mariadb -e 'alter database old character set latin1; create table old.t (a int)'")
    assert services.converge(Database("old")) == []


@pytest.mark.parametrize("password", NASTY)
def test_root_logs_in_over_the_socket_and_with_the_password(services: Services, password: str) -> None:
    services.converge(DatabaseAdministrator(Secret(password)))
    # As Packstack leaves it: a password, and nothing else.
    services.sh(
        'mariadb -e "alter user root@localhost identified via mysql_native_password'
        f" using '{password_hash(password)}'\""
    )
    services.converge(DatabaseAdministrator(Secret(password)))
    there = DatabaseServer("127.0.0.1", password=Secret(password))
    services.converge(Database("over_tcp", server=there))


def test_a_database_that_does_not_run_is_not_known_and_then_made(services: Services) -> None:
    services.sh("mariadb -e 'drop database if exists later'; systemctl stop mariadb")
    (change,) = services.plan(Database("later"))
    assert change["lines"][0] == "  not known yet: mariadb does not run yet"
    assert "ERROR 2002" in services.failure(Database("later"))["message"]
    assert services.converge(Unit("mariadb.service"), Database("later")) == ["unit:mariadb.service", "database:later"]


def test_queue_accounts_with_any_password_are_there_once_and_guest_is_gone(services: Services) -> None:
    wanted = [QueueAccount(f"user{number}", Secret(password)) for number, password in enumerate(NASTY)]
    wanted += [QueueAccount("snow☃'$(x)", Secret("x"), "vhost☃/'"), QueueAccount("guest", absent=True)]
    assert services.converge(*wanted) == [resource.id for resource in wanted]
    assert "guest" not in services.sh("rabbitmqctl --quiet list_users")
    assert services.plan(QueueAccount("user0", Secret("another")))[0]["action"] == "create"


def test_services_log_in_to_the_queue_with_the_address_from_their_configuration(services: Services) -> None:
    services.converge(*(QueueAccount(f"user{number}", Secret(password)) for number, password in enumerate(NASTY)))
    urls = [
        queue_url(f"user{number}", Secret(password), ["127.0.0.1"]).reveal() for number, password in enumerate(NASTY)
    ]
    program = """
import json, sys
import kombu
from oslo_config import cfg
from oslo_messaging import transport
from oslo_messaging._drivers import impl_rabbit
seen = []
for text in json.load(sys.stdin):
    url = transport.TransportURL.parse(cfg.ConfigOpts(), text)
    address = impl_rabbit.Connection._transform_transport_url(None, url, url.hosts[0])
    with kombu.Connection(address, connect_timeout=10) as connection:
        connection.connect()
        seen.append(connection.connected)
print(json.dumps(seen))
"""
    assert services.python(program, urls) == [True] * len(NASTY)


def test_a_queue_that_does_not_run_is_not_known(services: Services) -> None:
    services.sh("systemctl stop rabbitmq-server")
    account = QueueAccount("late", Secret("x"))
    assert "does not answer on 127.0.0.1:5672 yet" in services.plan(account)[0]["lines"][0]
    assert services.converge(Unit("rabbitmq-server.service"), account) == ["unit:rabbitmq-server.service", account.id]


def test_an_environment_is_made_anew_when_its_stamp_or_its_interpreter_is_gone(services: Services) -> None:
    assert services.plan(services.environment()) == []
    services.sh(f"ln -sfn /usr/bin/python-none {HOME}/bin/python")
    assert services.plan(services.environment())[0]["lines"] == [
        f"  python: {services.version}, which does not run any more -> {services.version}"
    ]
    services.converge(services.environment())
    services.sh(f"rm {HOME}/pystack-stamp.json; rm -r {services.modules}/keystone")
    services.converge(services.environment())
    services.sh(f"{HOME}/bin/python -c 'import keystone.cmd.cli'")


def test_an_environment_whose_making_was_killed_becomes_whole(services: Services) -> None:
    services.sh(f"rm -rf {HOME}")
    future = services.begin(services.environment())
    # uv is at work on the files: the worst moment.
    services.host.run(f"until test -d {services.modules}/nova; do sleep 0.01; done", check=True)
    services.sh("pkill -9 -x uv")
    assert "failure" in future.result(60)
    assert services.plan(services.environment())[0]["action"] == "create"
    services.converge(services.environment())
    services.sh(f"{HOME}/bin/python -c 'import keystone.cmd.cli, nova.conf, neutron.conf'")


def test_a_failed_installation_says_why_and_leaves_the_environment_as_it_was(
    services: Services, tmp_path: Path
) -> None:
    small = tmp_path / "lock.txt"
    small.write_text(f"alembic==0.0.99 --hash=sha256:{'0' * 64}\n")
    services.blobs[digest(small)] = small
    assert "does not have alembic" in services.failure(services.environment(lock=digest(small)))["message"]
    assert services.plan(services.environment()) == []
    other = services.environment(lock=digest(small), index=Secret("https://127.0.0.1:1/simple"))
    assert "the package index cannot be reached" in services.failure(other)["message"]


# ---------------------------------------------------------------------------------------------------- Keystone

ADMIN_PASSWORD = "a'b\"c\\d`e$(cd; touch owned)$HOME%s\n☃" + "x" * 160
CONFIGURATION = f"""[DEFAULT]
public_endpoint = http://127.0.0.1:5000
[database]
connection = {database_url("keystone", Secret(NASTY[4]), "127.0.0.1", "keystone").reveal()}
[identity]
password_hash_algorithm = bcrypt_sha256
[cache]
enabled = true
backend = dogpile.cache.pymemcache
memcache_servers = 127.0.0.1:11211
"""
UNIT = f"""[Service]
Type=notify
NotifyAccess=all
User=keystone
ExecStart={HOME}/bin/uwsgi --http-socket 127.0.0.1:5000 --module keystone.wsgi.api:application --home {HOME} \\
  --master --processes 1 --threads 4 --lazy-apps --need-app --die-on-term --buffer-size 65535
[Install]
WantedBy=multi-user.target
"""
URL = "http://127.0.0.1:5000/v3"
KEYSTONE = KeystoneApi(URL, Secret(ADMIN_PASSWORD))
#: Every login costs Keystone a quarter of a second: two users have what all of NASTY has.
USERS = {"user0": "".join(NASTY), "user1": "\u2603" * 200}
MANAGE = f"{HOME}/bin/keystone-manage"
SCHEMA = DatabaseSchema("keystone", (MANAGE, "db_sync"), "keystone", "2026.2", seeded=(("project", 1),))


def keys(kind: str) -> Command:
    return Command(
        f"{kind}-keys",
        (MANAGE, f"{kind}_setup", "--keystone-user", "keystone", "--keystone-group", "keystone"),
        creates=f"/etc/keystone/{kind}-keys/0",
        user="keystone",
    )


@pytest.fixture(scope="module")
def keystone(services: Services) -> Services:
    services.converge(
        Database("keystone"),
        DatabaseAccount("keystone", "%", Secret(NASTY[4]), ("keystone",)),
        Group("keystone"),
        User("keystone", "keystone", home="/var/lib/keystone"),
        Directory("/etc/keystone", "root", "keystone", 0o750),
        *(Directory(f"/etc/keystone/{kind}-keys", "keystone", "keystone", 0o700) for kind in ("fernet", "credential")),
        File("/etc/keystone/keystone.conf", CONFIGURATION, owner="root", group="keystone", mode=0o640),
        File("/etc/systemd/system/openstack-keystone.service", UNIT),
        SCHEMA,
        keys("fernet"),
        keys("credential"),
        Unit("openstack-keystone.service"),
        Bootstrap(KEYSTONE, "RegionOne", f"{HOME}/bin/python", "keystone"),
    )
    return services


def entities(url: str = "http://127.0.0.1:9292", password: str = NASTY[5]) -> list[Resource]:
    return [
        *(Endpoint(KEYSTONE, "identity", interface, URL, "RegionOne") for interface in INTERFACES),
        Domain(KEYSTONE, "heat", "stacks' users"),
        Project(KEYSTONE, "service"),
        Project(KEYSTONE, "stacks☃", domain="heat"),
        CloudRole(KEYSTONE, "heat_stack_owner"),
        *(CloudUser(KEYSTONE, name, Secret(text)) for name, text in USERS.items()),
        CloudUser(KEYSTONE, "glance", Secret(password)),
        CloudUser(KEYSTONE, "heat_admin", Secret(ADMIN_PASSWORD), domain="heat"),
        RoleAssignment(KEYSTONE, "glance", "admin", project="service"),
        RoleAssignment(KEYSTONE, "glance", "service", project="service"),
        RoleAssignment(KEYSTONE, "heat_admin", "admin", domain="heat", user_domain="heat"),
        RoleAssignment(KEYSTONE, "glance", "reader"),
        Service(KEYSTONE, "image", "glance"),
        *(Endpoint(KEYSTONE, "image", interface, url, "RegionTwo") for interface in INTERFACES),
    ]


def test_bootstrap_notices_a_lost_password_and_a_password_is_never_an_argument(keystone: Services) -> None:
    bootstrap = Bootstrap(KEYSTONE._replace(password=Secret("new one")), "RegionOne", f"{HOME}/bin/python", "keystone")
    assert "refuses the login of admin" in keystone.plan(bootstrap)[0]["lines"][0]
    future = keystone.begin(bootstrap)
    seen = ""
    while not future.done():
        seen += keystone.host.run("cat /proc/[0-9]*/cmdline /proc/[0-9]*/environ 2>/dev/null | tr '\\0' ' '").stdout
    assert "keystone.cmd" in seen
    assert "new one" not in seen
    assert "failure" not in future.result()
    keystone.converge(Bootstrap(KEYSTONE, "RegionOne", f"{HOME}/bin/python", "keystone"))


def test_entities_are_made_once_and_can_be_used(keystone: Services) -> None:
    wanted = entities()
    changed = keystone.converge(*wanted)
    # Bootstrap made the identity endpoints already.
    assert changed == [resource.id for resource in wanted[3:]]
    program = """
import json, sys
from keystoneauth1.identity import v3
from keystoneauth1.session import Session
seen = []
for name, domain, password, scope in json.load(sys.stdin):
    auth = v3.Password("http://127.0.0.1:5000/v3", username=name, user_domain_name=domain, password=password, **scope)
    access = auth.get_access(Session())
    seen.append(sorted(access.role_names))
print(json.dumps(seen))
"""
    in_service = {"project_name": "service", "project_domain_name": "Default"}
    assert keystone.python(
        program,
        [
            ["admin", "Default", ADMIN_PASSWORD, {"project_name": "admin", "project_domain_name": "Default"}],
            ["glance", "Default", NASTY[5], in_service],
            ["heat_admin", "heat", ADMIN_PASSWORD, {"domain_name": "heat"}],
            ["glance", "Default", NASTY[5], {"system_scope": "all"}],
            *([name, "Default", password, {"unscoped": True}] for name, password in USERS.items()),
        ],
    ) == [
        ["admin", "manager", "member", "reader"],
        ["admin", "manager", "member", "reader", "service"],
        ["admin", "manager", "member", "reader"],
        ["reader"],
        *([[]] * len(USERS)),
    ]


def test_a_changed_password_and_address_are_updated_in_place(keystone: Services) -> None:
    keystone.converge(*entities())
    changes = {
        change["resource"]: change["lines"] for change in keystone.plan(*entities("http://127.0.0.1:1", "other"))
    }
    assert changes == {
        "keystone-user:glance": ["  login: is refused -> works"],
        **{
            f"keystone-endpoint:image {interface} in RegionTwo": ["  url: http://127.0.0.1:9292 -> http://127.0.0.1:1"]
            for interface in INTERFACES
        },
    }
    keystone.converge(*entities("http://127.0.0.1:1", "other"))
    keystone.converge(*entities())


def test_nothing_is_known_while_keystone_is_down_and_a_start_is_waited_for(keystone: Services) -> None:
    keystone.converge(*entities())
    keystone.sh("systemctl stop openstack-keystone")
    begun = time.monotonic()
    changes = keystone.plan(*entities())
    assert time.monotonic() - begun < 5
    assert {change["lines"][0].split(":")[0] for change in changes} == {"  not known yet"}
    keystone.host.run("systemd-run --on-active=3 systemctl start openstack-keystone", check=True)
    assert "failure" not in keystone.apply(*entities())
    assert keystone.apply(*entities())["changed"] == []


def test_asking_for_all_entities_takes_few_requests(keystone: Services) -> None:
    keystone.converge(*entities())
    count = "journalctl -u openstack-keystone -o cat | grep -c -E '(GET|POST) /v3'"
    before = int(keystone.sh(count))
    keystone.plan(*entities())
    # A token and seven lists; and a login per user.
    assert int(keystone.sh(count)) - before == 8 + len(USERS) + 2


def test_a_schema_is_made_again_after_its_database_was_lost_or_its_making_was_cut_off(keystone: Services) -> None:
    keystone.sh("systemctl stop openstack-keystone; systemctl restart memcached; mariadb -e 'drop database keystone'")
    keystone.converge(Database("keystone"), SCHEMA)
    # What a power cut in the middle of the first migration leaves: tables that no migration owns up to.
    keystone.sh(
        "mariadb keystone -e 'drop table alembic_version; drop table credential';"
        " echo '{\"first\": true}' > /var/lib/pystack/schemas/keystone.json"
    )
    assert keystone.converge(SCHEMA) == [SCHEMA.id]
    assert "dropping what a cut-off run left in keystone, and making it once more" in keystone.progress()
    assert keystone.sh("mariadb -N keystone -e 'show tables' | grep -c -x -e credential -e alembic_version") == "2"
