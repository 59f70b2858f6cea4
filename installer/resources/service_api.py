"""The API of a service of the cloud, as Keystone's administrator sees it: JSON in, JSON out."""

from __future__ import annotations

from typing import Any, ClassVar, Dict, Iterable, List, Mapping, Optional, Sequence, Tuple

from installer.agent.host import Host
from installer.resources.base import Actual, CannotFix, FixFailed, Unknown
from installer.resources.json_api import Entity, JsonApi, NoAnswer
from installer.resources.keystone_api import Client, KeystoneApi, client_of

#: How long an image may take from its last byte until it is kept.
UPLOAD_SECONDS = 600.0


class ServiceClient:
    """The administrator at one API.

    Args:
        keystone: where Keystone is, and its administrator.
        url: the API's address, with its version.
        host: whose memory to use.
        headers: what every request says besides, such as the version that an answer has.
    """

    def __init__(
        self, keystone: KeystoneApi, url: str, host: Host, headers: Optional[Mapping[str, str]] = None
    ) -> None:
        self.url = url
        self._host = host
        self._headers = dict(headers or {})
        self._login = client_of(keystone, host)
        self._api = JsonApi(url, keystone.ca_file)

    def get(self, path: str) -> Entity:
        """Return what the API says at a path, such as ``/types``.

        Raises:
            NoAnswer: the API or Keystone cannot be asked now.
            Refused: the API answered with an error.
        """
        return self._send("GET", path, None)

    def post(self, path: str, body: Entity) -> Entity:
        """Send a body to a path and return the answer; raises as ``get`` does."""
        return self._send("POST", path, body)

    def put(self, path: str, body: Entity) -> Entity:
        """Put a body at a path and return the answer; raises as ``get`` does."""
        return self._send("PUT", path, body)

    @property
    def identity(self) -> Client:
        """Keystone, for the ids of projects and users."""
        return self._login

    def list(self, path: str) -> List[Entity]:
        """Return the list that an answer holds, such as that of ``/networks``; asked once until ``forget``.

        Raises:
            NoAnswer, Refused: see ``get``.
        """

        def attempt() -> Any:
            try:
                return next(value for value in self.get(path).values() if isinstance(value, list))
            except CannotFix as problem:
                return problem

        found = self._host.remember(f"answers of {self.url} {path}", attempt)
        if isinstance(found, CannotFix):
            raise found
        entities: List[Entity] = found
        return entities

    def forget(self) -> None:
        """Forget what was listed, because something was changed or may have changed."""
        self._host.forget(f"answers of {self.url} ")

    def token(self) -> str:
        """Return the administrator's token."""
        return self._login.token().id.reveal()

    def upload(self, path: str, blocks: Iterable[bytes], size: int) -> None:
        """Put the content of a file at a path.

        Args:
            path: such as ``/images/ID/file``.
            blocks: the content.
            size: its bytes.

        Raises:
            NoAnswer, Refused: see ``get``.
        """
        header = {
            "X-Auth-Token": self.token(),
            "Content-Type": "application/octet-stream",
            "Content-Length": str(size),
        }
        self._api.send_data("PUT", path, blocks, header, UPLOAD_SECONDS)

    def _send(self, method: str, path: str, body: Optional[Entity]) -> Entity:
        return self._api.send(method, path, body, {**self._headers, "X-Auth-Token": self.token()}).body


def service_client(keystone: Any, url: str, host: Host, headers: Optional[Mapping[str, str]] = None) -> ServiceClient:
    """Return the client for a resource's ``keystone`` field: one per host and address, for it loads all CAs."""
    own = KeystoneApi(*keystone)
    key = f"client of {url} {own.user} {hash(own)} {headers}"
    return host.remember(key, lambda: ServiceClient(own, url, host, headers))


class KeptByService:
    """What entities of a service have in common: fields ``keystone`` and ``url``, ``state`` and ``settle``."""

    keystone: KeystoneApi
    url: str
    #: What every request says besides.
    headers: ClassVar[Mapping[str, str]] = {}

    def state(self, client: ServiceClient) -> Actual:
        """Return the actual state.

        Raises:
            NoAnswer: the service cannot be asked.
        """
        raise NotImplementedError

    def settle(self, client: ServiceClient, host: Host) -> None:
        """Make the actual state equal to the expected one."""
        raise NotImplementedError

    @classmethod
    def query(cls, resources: Sequence[Any], host: Host) -> Dict[str, Actual]:
        def ask(resource: Any) -> Actual:
            try:
                found: Actual = resource.state(service_client(resource.keystone, resource.url, host, cls.headers))
                return found
            except NoAnswer as problem:
                return Unknown(str(problem))

        return {resource.id: ask(resource) for resource in resources}

    @classmethod
    def fix_all(cls, differing: Sequence[Tuple[Any, Actual]], host: Host) -> None:
        for resource, _ in differing:
            client = service_client(resource.keystone, resource.url, host, cls.headers)
            client.forget()
            try:
                resource.settle(client, host)
            except Exception as problem:
                raise FixFailed(resource) from problem
            finally:
                client.forget()


def project_id(client: ServiceClient, name: str) -> str:
    """Return the id of a project of the domain ``default``.

    Raises:
        CannotFix: there is none of that name.
    """
    found = client.identity.find("projects", name=name, domain_id="default")
    if found is None:
        raise CannotFix(f"keystone has no project {name}")
    return str(found["id"])
