"""The files that log the administrator in."""

from __future__ import annotations

from collections.abc import Iterable

from installer import admin_files
from installer.cloud import Cloud, CloudHost
from installer.resources.base import Resource
from installer.resources.file import Directory, File
from installer.roles import Role
from roles.tls import role as tls

#: Where the openstack client looks for clouds.yaml, whatever folder it is started in.
CLIENT_FOLDER = "/etc/openstack"


class Admin(Role):
    """keystonerc_admin and clouds.yaml for root on the controller, and the demo user's login."""

    name = "admin"
    title = "The administrator's files"
    groups = ("controller",)
    after_here = ("tls",)

    def resources(self, cloud: Cloud, host: CloudHost) -> Iterable[Resource]:
        yield Directory(CLIENT_FOLDER)
        for name, made in admin_files.files(cloud, tls.ROLE.bundle(host)).items():
            folder = CLIENT_FOLDER if name == "clouds.yaml" else "/root"
            yield File(f"{folder}/{name}", content=made.content, secrets=made.secrets, mode=0o600)


ROLE = Admin()
