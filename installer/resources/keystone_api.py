"""Keystone's API, version 3, as far as its entities need it: a token, lists, create and update."""

from __future__ import annotations

import time
from concurrent.futures import ThreadPoolExecutor
from typing import Any, Dict, List, NamedTuple, Optional, Sequence, Tuple
from urllib.parse import quote

from installer.agent.host import Host
from installer.resources.base import Actual, CannotFix, Unknown
from installer.resources.json_api import Answer, Entity, JsonApi, NoAnswer, Refused
from installer.resources.secret import Secret

#: How long a Keystone that was just started may take until it answers, through HAProxy's health check.
START_SECONDS = 90.0
#: How many logins are tried side by side: each costs Keystone a quarter of a second of one core.
LOGINS = 4
MEMORY = "keystone "


class KeystoneApi(NamedTuple):
    """Where Keystone is and how its administrator logs in.

    Args:
        url: with the version, such as ``https://cloud.example.org:5000/v3``.
        password: of the administrator.
        user: the administrator, in the domain ``default``.
        project: the project to log in to, in the domain ``default``.
        ca_file: CA certificates (PEM) to trust; empty: those that the host trusts.
    """

    url: str
    password: Secret
    user: str = "admin"
    project: str = "admin"
    ca_file: str = ""


class Token(NamedTuple):
    """A token, and what came with it: roles and catalogue."""

    id: Secret
    body: Entity


class Client:
    """Keystone's administrator, logged in. Token and lists are fetched once and kept in the host's memory.

    Args:
        api: where and who.
        host: whose memory to use.
    """

    def __init__(self, api: KeystoneApi, host: Host) -> None:
        self.api = api
        self._host = host
        self._memory = f"{MEMORY}{api.url} {api.user} "
        self._api = JsonApi(api.url, api.ca_file)

    def token(self) -> Token:
        """Return the administrator's token for the project.

        Raises:
            NoAnswer: nobody there, or the login is refused.
        """
        found: Token = self._remembered("token", self._log_in)
        return found

    def list(self, collection: str) -> List[Entity]:
        """Return all entities of a collection, such as ``users`` or ``role_assignments``.

        Raises:
            NoAnswer: nobody there.
            Refused: Keystone cuts its lists, so what is missing cannot be told from what is cut.
        """
        found: List[Entity] = self._remembered(f"list {collection}", lambda: self._list(collection))
        return found

    def find(self, collection: str, **values: Any) -> Optional[Entity]:
        """Return the first entity of a collection with these values, or None."""
        for entity in self.list(collection):
            if all(entity.get(key) == value for key, value in values.items()):
                return entity
        return None

    def domain_id(self, name: str) -> Optional[str]:
        """Return a domain's id by its name, without asking for the one that every Keystone has."""
        if name == "Default":
            return "default"
        domain = self.find("domains", name=name)
        return domain["id"] if domain else None

    def create(self, collection: str, kind: str, values: Entity) -> None:
        """Create an entity; ``kind`` is its name in the body, such as ``project``."""
        self._call("POST", f"/{collection}", {kind: values})

    def update(self, collection: str, kind: str, entity_id: str, values: Entity) -> None:
        """Change the given values of an entity."""
        self._call("PATCH", f"/{collection}/{quote(entity_id, safe='')}", {kind: values})

    def put(self, *path: str) -> None:
        """Make a relation, such as a role assignment, from the parts of its path."""
        self._call("PUT", "/" + "/".join(quote(part, safe="") for part in path), None)

    def accepts(self, user: str, domain_id: str, password: Secret) -> bool:
        """Tell whether a user can log in with a password; a token without scope is all it gets.

        Raises:
            NoAnswer: nobody there.
        """
        try:
            self._send("POST", "/auth/tokens", login(user, domain_id, password, None), None)
        except Refused as refused:
            if refused.status == 401:
                return False
            raise
        return True

    def wait(self) -> None:
        """Wait until Keystone answers at all.

        Raises:
            NoAnswer: not within ``START_SECONDS``; with what it said last.
        """
        self.forget()
        deadline = time.monotonic() + START_SECONDS
        while True:
            try:
                self._send("GET", "", None, None)
                return
            except NoAnswer as problem:
                if time.monotonic() > deadline:
                    raise NoAnswer(f"{problem} (waited {START_SECONDS:.0f} s)") from None
            time.sleep(0.5)

    def forget(self) -> None:
        """Forget token and lists, because something was changed or may have changed."""
        self._host.forget(self._memory)

    def forget_lists(self) -> None:
        """Forget the lists alone."""
        self._host.forget(f"{self._memory}list ")

    def _remembered(self, what: str, fetch: Any) -> Any:
        """Return what was fetched, or raise again why it could not be: once is enough for all types of a batch."""

        def attempt() -> Tuple[Any, Optional[CannotFix]]:
            try:
                return fetch(), None
            except CannotFix as problem:
                return None, problem

        found, problem = self._host.remember(self._memory + what, attempt)
        if problem is not None:
            raise problem
        return found

    def _log_in(self) -> Token:
        wanted = login(self.api.user, "default", self.api.password, self.api.project)
        try:
            head, body = self._send("POST", "/auth/tokens", wanted, None)
        except Refused as refused:
            if refused.status != 401:
                raise
            raise NoAnswer(f"keystone refuses the login of {self.api.user} to project {self.api.project}") from None
        return Token(Secret(head.get("X-Subject-Token", "")), body["token"])

    def _list(self, collection: str) -> List[Entity]:
        body = self._call("GET", f"/{collection}", None)
        if body.get("truncated"):
            raise Refused(
                200, f"keystone cuts its list of {collection}: raise list_limit in keystone.conf above their number"
            )
        entities: List[Entity] = body[collection]
        return entities

    def _call(self, method: str, path: str, body: Optional[Entity]) -> Entity:
        return self._send(method, path, body, self.token().id).body

    def _send(self, method: str, path: str, body: Optional[Entity], token: Optional[Secret]) -> Answer:
        return self._api.send(method, path, body, {"X-Auth-Token": token.reveal()} if token else {})


def client_of(api: Any, host: Host) -> Client:
    """Return the client for a resource's ``keystone`` field: one per host, for it takes a while to load all CAs."""
    own = KeystoneApi(*api)
    return host.remember(f"client of {MEMORY}{own.url} {own.user} {hash(own)}", lambda: Client(own, host))


class KeptByKeystone:
    """What entities of Keystone have in common: a field ``keystone`` (KeystoneApi), ``state`` and ``settle``."""

    keystone: KeystoneApi

    def state(self, client: Client) -> Actual:
        """Return the actual state.

        Raises:
            NoAnswer: Keystone cannot be asked.
        """
        raise NotImplementedError

    def settle(self, client: Client) -> None:
        """Make the actual state equal to the expected one."""
        raise NotImplementedError

    @classmethod
    def query(cls, resources: Sequence[Any], host: Host) -> Dict[str, Actual]:
        def ask(resource: Any) -> Actual:
            try:
                found: Actual = resource.state(client_of(resource.keystone, host))
                return found
            except NoAnswer as problem:
                return Unknown(str(problem))

        with ThreadPoolExecutor(max_workers=LOGINS) as pool:
            return dict(zip((resource.id for resource in resources), pool.map(ask, resources)))

    @classmethod
    def fix_all(cls, differing: Sequence[Tuple[Any, Actual]], host: Host) -> None:
        for resource, actual in differing:
            client = client_of(resource.keystone, host)
            if isinstance(actual, Unknown):
                client.wait()
                if resource.state(client) == resource.expected():
                    continue
            resource.settle(client)
            client.forget_lists()


def login(user: str, domain_id: str, password: Secret, project: Optional[str]) -> Entity:
    """Return the body of a login with a password, to a project of the domain ``default`` or without a scope."""
    who = {"name": user, "domain": {"id": domain_id}, "password": password.reveal()}
    scope: Any = "unscoped" if project is None else {"project": {"name": project, "domain": {"id": "default"}}}
    return {"auth": {"identity": {"methods": ["password"], "password": {"user": who}}, "scope": scope}}
