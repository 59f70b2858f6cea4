"""Cinder's configuration, the same file for all of its parts on a host."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from installer.cloud import Cloud, CloudHost
from installer.resources.base import Resource
from installer.resources.file import File
from installer.roles import Schema
from installer.urls import api_url, database_url
from roles import service
from roles.ceph import client
from roles.cinder import backends
from roles.cinder.backends import USER
from roles.openstack.role import home

PATH = "/etc/cinder/cinder.conf"
#: The driver of each kind of backup has a template of its own, ``cinder/backup_<kind>.conf.j2``.
BACKUP_PLACES = {
    "posix": "CONFIG_CINDER_BACKUP_PATH",
    "nfs": "CONFIG_CINDER_BACKUP_SHARE",
    "ceph": "CONFIG_CINDER_BACKUP_CEPH_POOL",
}


def resources(cloud: Cloud, host: CloudHost) -> Iterable[Resource]:
    """Yield account, folders and configuration, on every host that runs a part of Cinder."""
    yield from service.account(USER, "volumes")
    yield from service.from_release(cloud, USER, "api-paste.ini", "resource_filters.json")
    yield _file(cloud, host)


def _file(cloud: Cloud, host: CloudHost) -> File:
    answers = cloud.answers
    keeps_volumes = "storage" in host.groups
    return service.configuration(
        cloud,
        USER,
        PATH,
        "cinder/cinder.conf.j2",
        transport_url=service.transport_url(cloud),
        connection=database_url(USER, answers["CONFIG_CINDER_DB_PW"], answers["CONFIG_MARIADB_HOST"], "cinder"),
        password=answers["CONFIG_CINDER_KS_PW"],
        images=api_url(answers, "glance") if answers["CONFIG_GLANCE_INSTALL"] else None,
        default_type=backends.wanted(cloud)[0].name,
        api="controller" in host.groups,
        helper=" ".join(("sudo", f"{home(cloud)}/bin/privsep-helper", *service.arguments(USER, PATH))),
        backends=_sections(cloud, host) if keeps_volumes else [],
        backup=backup(cloud) if keeps_volumes else None,
    )


def _sections(cloud: Cloud, host: CloudHost) -> list[Mapping[str, Any]]:
    return [
        {"name": backend.name, "template": backend.template, "settings": backend.settings(cloud, host)}
        for backend in backends.wanted(cloud)
    ]


def backup(cloud: Cloud) -> Mapping[str, str] | None:
    """Return the kind of backups that the answer file asks for and their place, or None for no backups."""
    kind = cloud.answers["CONFIG_CINDER_BACKUP"]
    if not kind:
        return None
    found = {"kind": str(kind), "place": str(cloud.answers[BACKUP_PLACES[kind]])}
    if kind == "ceph":
        user = str(cloud.answers["CONFIG_CINDER_BACKUP_CEPH_USER"])
        found.update(user=user, configuration=client.configuration(USER))
    return found


def schema_of(cloud: Cloud) -> Schema:
    """Return Cinder's database, and its account there."""
    return Schema(USER, cloud.answers["CONFIG_CINDER_DB_PW"], ("cinder",))
