"""What the roles want Keystone to keep: users of the services, and the endpoints at which they are found."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterable, Iterator

from installer.cloud import Cloud, CloudHost
from installer.resources.base import Resource
from installer.resources.keystone import CloudRole, CloudUser, Domain, Endpoint, Project, RoleAssignment, Service
from installer.roles import Role, all_roles

#: Each kind needs those before it.
ORDER: tuple[type[Resource], ...] = (Domain, Project, CloudRole, CloudUser, RoleAssignment, Service, Endpoint)


class Catalogue(Role):
    """Users and endpoints of all services, made from the controller as soon as Keystone answers.

    Services need not wait for it to make their tables and start: they log in at the first request. What asks Keystone
    or another service while it starts comes after this role.
    """

    name = "catalogue"
    title = "Users and endpoints of the services"
    groups = ("controller",)
    after = ("keystone",)

    def resources(self, cloud: Cloud, host: CloudHost) -> Iterable[Resource]:
        # Kind by kind, because the agent asks and changes neighbours of one kind together.
        return sorted(_entities(cloud), key=lambda item: ORDER.index(type(item)))


def _entities(cloud: Cloud) -> Iterator[Resource]:
    for role in all_roles():
        if role.wanted(cloud):
            yield from role.entities(cloud)
        else:
            # What the answer file does not ask for any more is not told to clients; users and their data stay.
            endpoints = (item for item in role.entities(cloud) if isinstance(item, Endpoint))
            yield from (dataclasses.replace(item, enabled=False) for item in endpoints)


ROLE = Catalogue()
