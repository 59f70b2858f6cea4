"""What Keystone keeps: domains, projects, users, roles and who has them, services and their endpoints.

Nothing that others made is ever deleted.
"""

from __future__ import annotations

import dataclasses
from typing import ClassVar, List, Optional, Tuple

from installer.resources.base import Actual, CannotFix, Resource, State
from installer.resources.json_api import Entity, NoAnswer, Refused
from installer.resources.keystone_api import Client, KeptByKeystone, KeystoneApi
from installer.resources.secret import Secret

INTERFACES = ("public", "internal", "admin")


@dataclasses.dataclass(frozen=True)
class Domain(KeptByKeystone, Resource):
    """A domain.

    Args:
        keystone: where, and as whom.
        domain: its name.
        description: for people.
    """

    kind: ClassVar[str] = "keystone-domain"

    keystone: KeystoneApi
    domain: str
    description: str = ""

    @property
    def name(self) -> str:
        return self.domain

    def expected(self) -> State:
        return {"enabled": True}

    def state(self, client: Client) -> Actual:
        return _only(client.find("domains", name=self.domain), "enabled")

    def settle(self, client: Client) -> None:
        values = {"name": self.domain, "description": self.description, "enabled": True}
        _create_or_update(client, "domains", "domain", client.find("domains", name=self.domain), values)


@dataclasses.dataclass(frozen=True)
class Project(KeptByKeystone, Resource):
    """A project.

    Args:
        keystone: where, and as whom.
        project: its name.
        domain: name of its domain.
        description: for people.
    """

    kind: ClassVar[str] = "keystone-project"

    keystone: KeystoneApi
    project: str
    domain: str = "Default"
    description: str = ""

    @property
    def name(self) -> str:
        return _in_domain(self.project, self.domain)

    def expected(self) -> State:
        return {"enabled": True}

    def state(self, client: Client) -> Actual:
        return _only(_named(client, "projects", self.project, self.domain), "enabled")

    def settle(self, client: Client) -> None:
        values = {
            "name": self.project,
            "domain_id": _domain_id(client, self.domain),
            "description": self.description,
            "enabled": True,
        }
        found = _named(client, "projects", self.project, self.domain)
        _create_or_update(client, "projects", "project", found, values)


@dataclasses.dataclass(frozen=True)
class CloudUser(KeptByKeystone, Resource):
    """A user of the cloud. Whether the password is right is known by logging in with it.

    Args:
        keystone: where, and as whom.
        user: its name.
        password: any text.
        domain: name of its domain.
        description: for people.
    """

    kind: ClassVar[str] = "keystone-user"

    keystone: KeystoneApi
    user: str
    password: Secret
    domain: str = "Default"
    description: str = ""

    @property
    def name(self) -> str:
        return _in_domain(self.user, self.domain)

    def expected(self) -> State:
        return {"enabled": True, "login": "works"}

    def state(self, client: Client) -> Actual:
        found = _named(client, "users", self.user, self.domain)
        if found is None:
            return None
        works = found["enabled"] and client.accepts(self.user, found["domain_id"], self.password)
        return {"enabled": found["enabled"], "login": "works" if works else "is refused"}

    def settle(self, client: Client) -> None:
        values = {
            "name": self.user,
            "domain_id": _domain_id(client, self.domain),
            "password": self.password.reveal(),
            "description": self.description,
            "enabled": True,
        }
        found = _named(client, "users", self.user, self.domain)
        _create_or_update(client, "users", "user", found, values)


@dataclasses.dataclass(frozen=True)
class CloudRole(KeptByKeystone, Resource):
    """A role of the cloud, such as ``heat_stack_owner``.

    Args:
        keystone: where, and as whom.
        role: its name.
    """

    kind: ClassVar[str] = "keystone-role"

    keystone: KeystoneApi
    role: str

    @property
    def name(self) -> str:
        return self.role

    def expected(self) -> State:
        return {"domain_id": None}

    def state(self, client: Client) -> Actual:
        return _only(_role(client, self.role), "domain_id")

    def settle(self, client: Client) -> None:
        client.create("roles", "role", {"name": self.role})


@dataclasses.dataclass(frozen=True)
class RoleAssignment(KeptByKeystone, Resource):
    """A role that a user has on a project, on a domain, or, without either, on the whole system.

    Args:
        keystone: where, and as whom.
        user: the user's name.
        role: the role's name.
        project: name of a project.
        domain: name of a domain, instead of a project.
        user_domain, project_domain: names of the domains that these are in.
    """

    kind: ClassVar[str] = "role-assignment"

    keystone: KeystoneApi
    user: str
    role: str
    project: Optional[str] = None
    domain: Optional[str] = None
    user_domain: str = "Default"
    project_domain: str = "Default"

    @property
    def name(self) -> str:
        return f"{_in_domain(self.user, self.user_domain)} {self.role} on {self._where()}"

    def _where(self) -> str:
        if self.project is not None:
            return f"project {_in_domain(self.project, self.project_domain)}"
        return f"domain {self.domain}" if self.domain is not None else "the system"

    def expected(self) -> State:
        return {"role": self.role, "on": self._where()}

    def state(self, client: Client) -> Actual:
        try:
            user, role, scope = self._ids(client)
        except CannotFix as problem:
            if isinstance(problem, (NoAnswer, Refused)):
                raise
            return None
        wanted = {"system": {"all": True}} if scope == ("system",) else {scope[0][:-1]: {"id": scope[1]}}
        for one in client.list("role_assignments"):
            held = (one.get("user", {}).get("id"), one["role"]["id"], one["scope"])
            # An assignment that projects below inherit does not hold on the project itself.
            if held == (user, role, wanted):
                return self.expected()
        return None

    def settle(self, client: Client) -> None:
        user, role, scope = self._ids(client)
        client.put(*scope, "users", user, "roles", role)

    def _ids(self, client: Client) -> Tuple[str, str, Tuple[str, ...]]:
        """Return the ids of user and role, and the path of the scope; raises CannotFix for what is missing."""
        user = _there(_named(client, "users", self.user, self.user_domain), "user", self.user)
        role = _there(_role(client, self.role), "role", self.role)
        if self.project is not None:
            project = _named(client, "projects", self.project, self.project_domain)
            return user, role, ("projects", _there(project, "project", self.project))
        if self.domain is not None:
            return user, role, ("domains", _domain_id(client, self.domain))
        return user, role, ("system",)


@dataclasses.dataclass(frozen=True)
class Service(KeptByKeystone, Resource):
    """A service of the catalogue.

    Args:
        keystone: where, and as whom.
        type: such as ``image``; there is one service per type.
        service: its name, such as ``glance``.
        description: for people.
    """

    kind: ClassVar[str] = "keystone-service"

    keystone: KeystoneApi
    type: str
    service: str
    description: str = ""

    @property
    def name(self) -> str:
        return self.type

    def expected(self) -> State:
        return {"name": self.service, "enabled": True}

    def state(self, client: Client) -> Actual:
        return _only(self._found(client), "name", "enabled")

    def settle(self, client: Client) -> None:
        values = {"type": self.type, "name": self.service, "description": self.description, "enabled": True}
        _create_or_update(client, "services", "service", self._found(client), values)

    def _found(self, client: Client) -> Optional[Entity]:
        return client.find("services", type=self.type, name=self.service) or client.find("services", type=self.type)


@dataclasses.dataclass(frozen=True)
class Endpoint(KeptByKeystone, Resource):
    """An endpoint of the catalogue: one per service type, interface and region. Its region is made if missing.

    Args:
        keystone: where, and as whom.
        service_type: such as ``image``; the service must exist.
        interface: ``public``, ``internal`` or ``admin``.
        url: its address.
        region: such as ``RegionOne``.
        enabled: clients are told of it; if they must not be, it need not exist.
    """

    kind: ClassVar[str] = "keystone-endpoint"

    keystone: KeystoneApi
    service_type: str
    interface: str
    url: str
    region: str
    enabled: bool = True

    @property
    def name(self) -> str:
        return f"{self.service_type} {self.interface} in {self.region}"

    def expected(self) -> State:
        return {"url": self.url, "enabled": True} if self.enabled else {"enabled": False}

    def state(self, client: Client) -> Actual:
        found = self._found(client)
        if not self.enabled:
            return self.expected() if found is None else _only(found, "enabled")
        return _only(found, "url", "enabled")

    def settle(self, client: Client) -> None:
        services = self._services(client)
        if not services:
            raise CannotFix(f"keystone has no service of type {self.service_type} to give an endpoint to")
        found = self._found(client)
        if found is None and client.find("regions", id=self.region) is None:
            client.create("regions", "region", {"id": self.region})
        values = {
            "service_id": found["service_id"] if found else services[0],
            "interface": self.interface,
            "region_id": self.region,
            "url": self.url,
            "enabled": self.enabled,
        }
        _create_or_update(client, "endpoints", "endpoint", found, values)

    def _services(self, client: Client) -> List[str]:
        return [service["id"] for service in client.list("services") if service["type"] == self.service_type]

    def _found(self, client: Client) -> Optional[Entity]:
        services = self._services(client)
        matching = [
            endpoint
            for endpoint in client.list("endpoints")
            if (endpoint["interface"], endpoint["region_id"]) == (self.interface, self.region)
            and endpoint["service_id"] in services
        ]
        right = [endpoint for endpoint in matching if endpoint["url"] == self.url]
        return next(iter(right or matching), None)


def _only(entity: Optional[Entity], *keys: str) -> Actual:
    return None if entity is None else {key: entity.get(key) for key in keys}


def _in_domain(name: str, domain: str) -> str:
    return name if domain == "Default" else f"{name}@{domain}"


def _named(client: Client, collection: str, name: str, domain: str) -> Optional[Entity]:
    domain_id = client.domain_id(domain)
    return None if domain_id is None else client.find(collection, name=name, domain_id=domain_id)


def _role(client: Client, name: str) -> Optional[Entity]:
    return client.find("roles", name=name, domain_id=None)


def _there(entity: Optional[Entity], kind: str, name: str) -> str:
    if entity is None:
        raise CannotFix(f"keystone has no {kind} {name}")
    return str(entity["id"])


def _domain_id(client: Client, name: str) -> str:
    domain_id = client.domain_id(name)
    if domain_id is None:
        raise CannotFix(f"keystone has no domain {name}")
    return domain_id


def _create_or_update(client: Client, collection: str, kind: str, found: Optional[Entity], values: Entity) -> None:
    if found is None:
        client.create(collection, kind, values)
    else:
        # What people may have changed on purpose, and what cannot change, stays as it is.
        kept = ("description", "domain_id")
        changes = {key: value for key, value in values.items() if key not in kept and found.get(key) != value}
        client.update(collection, kind, found["id"], changes)
