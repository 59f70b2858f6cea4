"""The dashboard."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable

from installer.cloud import Cloud, CloudHost
from installer.paths import TEMPLATES
from installer.ports import PORTS
from installer.render import rendered_file
from installer.resources.account import Group, User
from installer.resources.answering import Answering
from installer.resources.base import Resource
from installer.resources.command import Command
from installer.resources.file import Directory, Symlink
from installer.roles import Role
from installer.urls import DASHBOARD, dashboard_url, identity_url
from roles import service
from roles.memcached.role import ADDRESS
from roles.nova.role import ROLE as NOVA
from roles.openstack.role import digest, home, locks, site_packages
from roles.tls import role as tls

USER = "horizon"
FOLDER = "/etc/openstack-dashboard"
SETTINGS = f"{FOLDER}/local_settings.py"
#: The operator's own settings.
ADDITIONS = f"{FOLDER}/local_settings.d"
TEMPLATE = "horizon/local_settings.py.j2"
STATIC = f"/var/lib/{USER}/static"
#: Written when all style sheets and scripts are put together; the dashboard reads it once.
MANIFEST = f"{STATIC}/dashboard/manifest.json"
#: Seconds for which who uploads an image may pause, as at Glance itself.
PATIENCE = 600
UNIT = "openstack-horizon.service"


class Horizon(Role):
    """Horizon on the controller, behind HAProxy."""

    name = "horizon"
    title = "Dashboard (Horizon)"
    groups = ("controller",)
    # Nobody waits for it, and its half minute of processor time would delay those that others wait for.
    after = ("catalogue",)
    after_here = ("openstack", "memcached", "haproxy")
    units = (UNIT,)
    services = (USER,)

    def wanted(self, cloud: Cloud) -> bool:
        return bool(cloud.answers["CONFIG_HORIZON_INSTALL"])

    def resources(self, cloud: Cloud, host: CloudHost) -> Iterable[Resource]:
        yield Group(USER)
        yield User(USER, USER, home=f"/var/lib/{USER}", comment="OpenStack dashboard")
        yield Directory(f"/var/lib/{USER}", USER, USER, 0o750)
        yield Directory(FOLDER, "root", USER, 0o750)
        yield Directory(ADDITIONS, "root", USER, 0o750)
        yield from _settings(cloud, host)
        yield from _static_files(cloud, host)
        yield from _server(cloud, host)
        yield Answering("horizon", url=f"{dashboard_url(cloud.answers)}auth/login/", unit=UNIT)


def _settings(cloud: Cloud, host: CloudHost) -> Iterable[Resource]:
    answers = cloud.answers
    yield rendered_file(
        SETTINGS,
        TEMPLATE,
        group=USER,
        mode=0o640,
        webroot=f"{DASHBOARD}/",
        secret_key=answers["CONFIG_HORIZON_SECRET_KEY"],
        memcached=f"{ADDRESS}:{PORTS['memcached']}",
        identity=identity_url(answers),
        authorities=tls.ROLE.bundle(host),
        consoles=bool(NOVA.facts(host)["novnc"]),
        backups=bool(answers["CONFIG_CINDER_BACKUP"]) and answers["CONFIG_CINDER_INSTALL"],
        static=STATIC,
        level="DEBUG" if answers["CONFIG_DEBUG_MODE"] else "INFO",
        additions=f"{ADDITIONS}/*.py",
    )
    # Horizon finds its settings inside its own package and nowhere else.
    yield Symlink(f"{site_packages(cloud, host)}/openstack_dashboard/local/local_settings.py", SETTINGS)


def _static_files(cloud: Cloud, host: CloudHost) -> Iterable[Resource]:
    """Yield the commands that put together style sheets and scripts: once per release and per change of the settings'
    template. Values of the settings, and so secrets, do not count."""
    made_of = [digest(path) for path in (*locks(cloud.release), TEMPLATES / TEMPLATE)]
    made_of.append(site_packages(cloud, host))
    stamp_of_all = hashlib.sha256(" ".join(made_of).encode()).hexdigest()
    for title, arguments in (
        ("horizon-collect-static", ("collectstatic", "--noinput", "--clear")),
        ("horizon-compress-static", ("compress", "--force")),
    ):
        yield Command(
            title,
            (f"{home(cloud)}/bin/django-admin", *arguments, "--verbosity", "0"),
            stamp=stamp_of_all,
            user=USER,
            env={"DJANGO_SETTINGS_MODULE": "openstack_dashboard.settings"},
        )


def _server(cloud: Cloud, host: CloudHost) -> Iterable[Resource]:
    return service.web_server(
        cloud,
        host,
        USER,
        name="horizon",
        unit=UNIT,
        module="openstack_dashboard.wsgi:application",
        reads=(SETTINGS, ADDITIONS, MANIFEST),
        # Images are uploaded through it.
        patience=PATIENCE,
        template="horizon/horizon.uwsgi.ini.j2",
        webroot=DASHBOARD,
        static=STATIC,
    )


ROLE = Horizon()
