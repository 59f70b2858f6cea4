"""The files that log the administrator in."""

from __future__ import annotations

from collections.abc import Iterable

from installer import admin_files
from installer.cloud import Cloud, CloudHost
from installer.render import rendered_file
from installer.resources.base import Resource
from installer.resources.file import Directory
from installer.roles import Role
from roles.tls import role as tls

#: Where the openstack client looks for clouds.yaml, whatever folder it is started in.
CLIENT_FOLDER = "/etc/openstack"


class Admin(Role):
    """keystonerc_admin and clouds.yaml for root on the controller."""

    name = "admin"
    title = "The administrator's files"
    groups = ("controller",)
    after_here = ("tls",)

    def resources(self, cloud: Cloud, host: CloudHost) -> Iterable[Resource]:
        context = admin_files.context(cloud, tls.ROLE.bundle(host))
        yield rendered_file("/root/keystonerc_admin", "admin/keystonerc_admin.j2", mode=0o600, **context)
        yield Directory(CLIENT_FOLDER)
        yield rendered_file(f"{CLIENT_FOLDER}/clouds.yaml", "admin/clouds.yaml.j2", mode=0o600, **context)


ROLE = Admin()
