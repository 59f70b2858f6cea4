"""The compute service, as far as the controller has it: APIs, conductor, scheduler and the proxy of consoles."""

from __future__ import annotations

from collections.abc import Iterable

from installer.cloud import Cloud, CloudHost
from installer.resources.base import Resource
from installer.resources.package_files import PackageFiles
from installer.roles import Role, Schema
from installer.urls import api_url
from roles import service
from roles.nova import configuration
from roles.nova.configuration import CONTROLLER, PAGES, USER

API = "openstack-nova-api.service"
METADATA = "openstack-nova-metadata.service"
CONSOLE = "openstack-nova-novncproxy.service"
#: What runs on its own, by its unit.
DAEMONS = {
    "openstack-nova-conductor.service": "nova-conductor",
    "openstack-nova-scheduler.service": "nova-scheduler",
    CONSOLE: "nova-novncproxy",
}
PURGE = "openstack-nova-db-purge"
#: How long what was deleted stays in the database, as with Cinder.
KEPT_DAYS = 30
#: nova-manage wants a date, and ends with 1 when there was something to do.
PURGING = (
    "import datetime, sys; from nova.cmd.manage import main; "
    f"day = datetime.date.today() - datetime.timedelta(days={KEPT_DAYS}); "
    "sys.argv[1:] = ['db', 'archive_deleted_rows', '--all-cells', '--until-complete', '--purge', f'--before={day}']; "
    "sys.exit(main() not in (0, 1))"
)


class Nova(Role):
    """Nova's APIs behind HAProxy, its conductor, its scheduler, and noVNC.

    They look for Placement in the catalogue when they start, and if it is not there do not look again (seen with
    34.0.0: ``ServiceDisabledException``).
    """

    name = "nova"
    title = "Instances (Nova)"
    groups = ("controller",)
    after = ("catalogue", "nova_databases")
    after_here = ("openstack", "memcached", "haproxy")
    units = (API, METADATA, *DAEMONS)

    def wanted(self, cloud: Cloud) -> bool:
        return bool(cloud.answers["CONFIG_NOVA_INSTALL"])

    def schemas(self, cloud: Cloud) -> Iterable[Schema]:
        return (configuration.schema_of(cloud),)

    def entities(self, cloud: Cloud) -> Iterable[Resource]:
        yield from service.cloud_user(cloud, USER, cloud.answers["CONFIG_NOVA_KS_PW"])
        yield from service.endpoints(cloud, "nova", "compute", url(cloud), "Instances")

    def resources(self, cloud: Cloud, host: CloudHost) -> Iterable[Resource]:
        pages = self.facts(host)["novnc"]
        if pages:
            # The package itself would bring Node.js and a second websockify.
            yield PackageFiles("novnc", pages, PAGES)
        yield from service.units_last(_services(cloud, host))
        yield service.answering(cloud, "nova", API)
        yield service.answering(cloud, "nova-metadata", METADATA)
        if pages:
            yield service.answering(cloud, "novnc", CONSOLE, "/vnc_lite.html")


def _services(cloud: Cloud, host: CloudHost) -> Iterable[Resource]:
    for name, unit, module in (
        ("nova", API, "nova.wsgi.osapi_compute:application"),
        ("nova-metadata", METADATA, "nova.wsgi.metadata:application"),
    ):
        yield from service.api(cloud, host, USER, name=name, unit=unit, module=module, reads=(CONTROLLER,))
    for unit, program in DAEMONS.items():
        command = (program, *service.arguments(USER, CONTROLLER))
        reads = (CONTROLLER, PAGES) if unit == CONSOLE else (CONTROLLER,)
        yield from service.daemon(cloud, USER, unit=unit, command=command, reads=reads)
    yield from service.daily(
        cloud,
        USER,
        unit=PURGE,
        command=("python", "-c", PURGING),
        wanted=bool(cloud.answers["CONFIG_NOVA_DB_PURGE_ENABLE"]),
    )


def url(cloud: Cloud) -> str:
    """Return the address of the compute API."""
    return api_url(cloud.answers, "nova", "/v2.1")


ROLE = Nova()
