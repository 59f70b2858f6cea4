"""What OpenStack's services have in common: account, folders, configuration, tables, API, daemons, users and endpoints.

A service is known by its name (``glance``): account and group of every host, folder below /etc and /var/lib, user at
Keystone. Everything here yields resources; a role puts them in order.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from typing import Any

from installer.accounts import NUMBERS
from installer.cloud import Cloud, CloudHost
from installer.ports import PORTS, local_port
from installer.render import rendered_file
from installer.resources.account import Group, User
from installer.resources.answering import Answering
from installer.resources.base import Resource
from installer.resources.database_schema import DatabaseSchema
from installer.resources.file import Directory, File, Symlink
from installer.resources.keystone import INTERFACES, CloudUser, Endpoint, RoleAssignment, Service
from installer.resources.keystone_api import KeystoneApi
from installer.resources.package import Package
from installer.resources.secret import Secret
from installer.resources.unit import Unit
from installer.roles import Schema
from installer.sizing import THREADS, workers
from installer.urls import api_url, identity_url, queue_url
from roles.mariadb import role as mariadb
from roles.memcached.role import ADDRESS
from roles.openstack.role import ENVIRONMENT, home, stamp

#: The project of the services' users, made by the role keystone.
PROJECT = "service"
#: Roles of every service's user: admin for what it does at other services, service for what only services may.
CLOUD_ROLES = ("admin", "service")
#: Folder of the configurations of uwsgi.
SERVERS = "/etc/pystack/uwsgi"


def additions(service: str) -> str:
    """Return the folder of the operator's own settings, which pystack makes and then never touches.

    Each ``*.conf`` in it is read after pystack's files, in order of name, and the last value counts. APIs and commands,
    which are started without ``--config-file``, find it by themselves. Daemons are given it after their files, because
    oslo.config reads what it finds by itself before what it is given (10.7: ``ConfigOpts._parse_config_files``).
    """
    return f"/etc/{service}/{service}.conf.d"


def arguments(service: str, *files: str) -> tuple[str, ...]:
    """Return the arguments that make a program read these configuration files, and then the operator's own."""
    given = [word for path in files for word in ("--config-file", path)]
    return (*given, "--config-dir", additions(service))


def account(
    service: str, title: str, *, groups: tuple[str, ...] = (), shell: str = "/usr/sbin/nologin", mode: int = 0o750
) -> Iterator[Resource]:
    """Yield account, group and folders of a service.

    Args:
        service: its name.
        title: what it is for, in a word or two.
        groups: further groups of the account.
        shell: its shell.
        mode: permission bits of its folder below /var/lib.
    """
    number = NUMBERS.get(service)
    yield Group(service, preferred_gid=number)
    yield User(
        service,
        service,
        preferred_uid=number,
        groups=groups,
        home=f"/var/lib/{service}",
        shell=shell,
        comment=f"OpenStack {title}",
    )
    yield Directory(f"/var/lib/{service}", service, service, mode)
    yield Directory(f"/etc/{service}", "root", service, 0o750)
    yield Directory(additions(service), "root", service, 0o750)


def from_release(cloud: Cloud, service: str, *names: str) -> Iterator[Symlink]:
    """Yield links below /etc to files and folders that come with the release, such as ``api-paste.ini``."""
    for name in names:
        yield Symlink(f"/etc/{service}/{name}", f"{home(cloud, service)}/etc/{service}/{name}")


def configuration(cloud: Cloud, service: str, path: str, template: str, **context: Any) -> File:
    """Return a configuration file that root writes and the service reads.

    The template knows, beside its own context, what those of templates/common/ need: ``identity`` (address of the
    identity API), ``region``, ``memcached``, ``debug``, ``service``, ``project``.

    Args:
        cloud: the cloud.
        service: whose it is.
        path: where it stands.
        template: see ``installer.render.render``.
        context: what else the template may name; ``password`` of the service's user where it logs in anywhere.
    """
    answers = cloud.answers
    return rendered_file(
        path,
        template,
        group=service,
        mode=0o640,
        service=service,
        project=PROJECT,
        identity=identity_url(answers),
        region=answers["CONFIG_KEYSTONE_REGION"],
        memcached=f"{ADDRESS}:{PORTS['memcached']}",
        debug=answers["CONFIG_DEBUG_MODE"],
        **context,
    )


def transport_url(cloud: Cloud) -> Secret:
    """Return the address of the message queue, for ``transport_url``."""
    answers = cloud.answers
    return queue_url(
        str(answers["CONFIG_AMQP_AUTH_USER"]),
        answers["CONFIG_AMQP_AUTH_PASSWORD"],
        (str(answers["CONFIG_AMQP_HOST"]),),
        PORTS["rabbitmq"],
    )


def tables(
    cloud: Cloud,
    host: CloudHost,
    schema: Schema,
    database: str,
    command: Sequence[str],
    *,
    service: str = "",
    seeded: tuple[tuple[str, int], ...] = (),
) -> Iterator[Resource]:
    """Yield the tables of a database.

    Args:
        cloud: the cloud.
        host: the host that makes them.
        schema: the role's, which names the database.
        database: its name.
        command: what makes them: a program of the release and its arguments.
        service: the account that runs it; that of the database's user by default.
        seeded: tables into which the migrations themselves put rows, and how many.
    """
    account = service or schema.user
    yield from mariadb.client(host)
    yield DatabaseSchema(
        database,
        (f"{home(cloud, account)}/bin/{command[0]}", *command[1:]),
        account=account,
        release=cloud.release,
        server=mariadb.server(cloud, host, schema),
        seeded=seeded,
    )


def api(
    cloud: Cloud,
    host: CloudHost,
    service: str,
    *,
    name: str,
    unit: str,
    module: str,
    reads: Iterable[str],
    patience: int = 30,
    template: str = "common/api.uwsgi.ini.j2",
) -> Iterator[Resource]:
    """Yield an API served by uwsgi behind HAProxy, and its unit.

    Args:
        cloud: the cloud.
        host: where it runs.
        service: whose it is.
        name: the API's name in ``installer.ports``.
        unit: name of its unit, such as ``openstack-glance-api.service``.
        module: module and name of the WSGI application, such as ``glance.wsgi.api:application``.
        reads: paths of what it reads; server, unit and environment need not be named.
        patience: seconds for which a client may neither send nor take anything; more where whole files go through.
        template: makes the configuration of uwsgi; one of the service's own extends the default.
    """
    yield from web_server(
        cloud,
        host,
        service,
        name=name,
        unit=unit,
        module=module,
        reads=(*reads, additions(service)),
        patience=patience,
        template=template,
    )


def web_server(
    cloud: Cloud,
    host: CloudHost,
    service: str,
    *,
    name: str,
    unit: str,
    module: str,
    reads: Iterable[str],
    patience: int = 30,
    template: str = "common/api.uwsgi.ini.j2",
    **context: Any,
) -> Iterator[Resource]:
    """Yield uwsgi with one application behind HAProxy, and its unit; all arguments but the last are those of ``api``.

    Args:
        context: what else the template may name.
    """
    server, file = f"{SERVERS}/{name}.ini", f"/etc/systemd/system/{unit}"
    yield Directory(SERVERS)
    yield rendered_file(
        server,
        template,
        name=name,
        port=local_port(name),
        module=module,
        home=home(cloud, service),
        processes=workers(cloud, host),
        threads=THREADS,
        patience=patience,
        **context,
    )
    yield rendered_file(file, "common/api.service.j2", name=name, user=service, home=home(cloud, service), ini=server)
    yield Unit(unit, reads=(*reads, server, file, ENVIRONMENT, stamp(cloud, service)))


def daemon(
    cloud: Cloud,
    service: str,
    *,
    unit: str,
    command: Sequence[str],
    reads: Iterable[str],
    privileged: bool = False,
    after: tuple[str, ...] = (),
) -> Iterator[Resource]:
    """Yield the unit of a program that runs on its own, such as a scheduler or an agent.

    Args:
        cloud: the cloud.
        service: whose it is.
        unit: name of its unit, such as ``openstack-nova-scheduler.service``.
        command: a program of the release and its arguments (see ``arguments``).
        reads: paths of what it reads; unit and environment need not be named.
        privileged: whether it changes the host, as root through sudo: it is then not shut in.
        after: units of this host that must be up first.
    """
    file = f"/etc/systemd/system/{unit}"
    yield rendered_file(
        file,
        "common/daemon.service.j2",
        title=unit.removeprefix("openstack-").removesuffix(".service"),
        user=service,
        command=(f"{home(cloud, service)}/bin/{command[0]}", *command[1:]),
        privileged=privileged,
        after=after,
    )
    yield Unit(unit, reads=(*reads, additions(service), file, ENVIRONMENT, stamp(cloud, service)))


def daily(cloud: Cloud, service: str, *, unit: str, command: Sequence[str], wanted: bool = True) -> Iterator[Resource]:
    """Yield the timer of a program that runs once a day, such as one that clears a database.

    Args:
        cloud: the cloud.
        service: whose it is.
        unit: name of its units without suffix, such as ``openstack-cinder-db-purge``.
        command: a program of the release and its arguments.
        wanted: otherwise it is stopped where it runs.
    """
    timer, program = (f"/etc/systemd/system/{unit}.{suffix}" for suffix in ("timer", "service"))
    if wanted:
        title = unit.removeprefix("openstack-")
        full = (f"{home(cloud, service)}/bin/{command[0]}", *command[1:])
        yield rendered_file(program, "common/daily.service.j2", title=title, user=service, command=full)
        yield rendered_file(timer, "common/daily.timer.j2", title=title)
    yield Unit(f"{unit}.timer", enabled=wanted, active=wanted, reads=(timer, program) if wanted else ())


def units_last(resources: Iterable[Resource]) -> Iterator[Resource]:
    """Yield resources with all units at the end: neighbours of one kind are started together, not one by one."""
    made = list(resources)
    yield from (item for item in made if not isinstance(item, Unit))
    yield from (item for item in made if isinstance(item, Unit))


def answering(cloud: Cloud, name: str, unit: str, path: str = "/") -> Answering:
    """Return that an API answers through HAProxy.

    Args:
        cloud: the cloud.
        name: the API's name in ``installer.ports``.
        unit: the unit behind it.
        path: a path that needs no login.
    """
    return Answering(name, url=api_url(cloud.answers, name, path), unit=unit)


def root_rights(cloud: Cloud, service: str, *, rootwrap_daemon: bool = False) -> Iterator[Resource]:
    """Yield what lets a service do as root what its rootwrap filters and oslo.privsep name, and nothing else.

    Args:
        cloud: the cloud.
        service: nova, neutron or cinder.
        rootwrap_daemon: whether it keeps one rootwrap running for all commands.
    """
    yield Package("sudo")
    yield rendered_file(
        f"/etc/{service}/rootwrap.conf", "common/rootwrap.conf.j2", service=service, home=home(cloud, service)
    )
    yield from from_release(cloud, service, "rootwrap.d")
    yield rendered_file(
        f"/etc/sudoers.d/openstack-{service}",
        "common/sudoers.j2",
        mode=0o440,
        service=service,
        home=home(cloud, service),
        rootwrap_daemon=rootwrap_daemon,
    )


def keystone(cloud: Cloud) -> KeystoneApi:
    """Return where Keystone is, and its administrator."""
    answers = cloud.answers
    return KeystoneApi(
        identity_url(answers), answers["CONFIG_KEYSTONE_ADMIN_PW"], answers["CONFIG_KEYSTONE_ADMIN_USERNAME"]
    )


def cloud_user(cloud: Cloud, service: str, password: Secret) -> Iterator[Resource]:
    """Yield the user that a service logs in to Keystone with, and its roles."""
    yield CloudUser(keystone(cloud), service, password)
    for role in CLOUD_ROLES:
        yield RoleAssignment(keystone(cloud), service, role, PROJECT)


def endpoints(cloud: Cloud, service: str, type_: str, url: str, description: str = "") -> Iterator[Resource]:
    """Yield a service of the catalogue, and its endpoints, which are the same for all interfaces.

    Args:
        cloud: the cloud.
        service: its name, such as ``glance``.
        type_: its type, such as ``image``.
        url: its address (see ``installer.urls.api_url``).
        description: for people.
    """
    yield Service(keystone(cloud), type_, service, description)
    for interface in INTERFACES:
        yield Endpoint(keystone(cloud), type_, interface, url, str(cloud.answers["CONFIG_KEYSTONE_REGION"]))
