"""The API of a service of the cloud, as Keystone's administrator sees it: JSON in, JSON out."""

from __future__ import annotations

import http.client
import json
import ssl
import urllib.error
import urllib.request
from typing import Any, Dict, Optional, Tuple

from installer.agent.host import Host
from installer.resources.base import CannotFix
from installer.resources.keystone_api import ANSWER_SECONDS, KeystoneApi, NoAnswer, Refused, client_of

Entity = Dict[str, Any]

#: What a gateway says while nobody is behind it.
NOBODY = (502, 503, 504)


class ServiceClient:
    """The administrator at one API.

    Args:
        keystone: where Keystone is, and its administrator.
        url: the API's address, with its version.
        host: whose memory to use.
    """

    def __init__(self, keystone: KeystoneApi, url: str, host: Host) -> None:
        self.url = url
        self._login = client_of(keystone, host)
        context = ssl.create_default_context(cafile=keystone.ca_file or None)
        # Like Keystone, the API is one of the cloud's own hosts, never behind a proxy to the outside.
        self._opener = urllib.request.build_opener(
            urllib.request.ProxyHandler({}), urllib.request.HTTPSHandler(context=context)
        )

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

    def _send(self, method: str, path: str, body: Optional[Entity]) -> Entity:
        headers = {
            "Accept": "application/json",
            "Content-Type": "application/json",
            "X-Auth-Token": self._login.token().id.reveal(),
        }
        data = None if body is None else json.dumps(body).encode()
        request = urllib.request.Request(self.url + path, data, headers, method=method)  # noqa: S310
        try:
            with self._opener.open(request, timeout=ANSWER_SECONDS) as answer:
                text = answer.read()
                found: Entity = json.loads(text) if text else {}
                return found
        except urllib.error.HTTPError as problem:
            with problem:
                raise refusal(problem.code, problem.read(4096), f"{method} {self.url}{path}") from None
        except urllib.error.URLError as problem:
            raise NoAnswer(f"{self.url} does not answer yet: {problem.reason}") from None
        except (OSError, http.client.HTTPException, ValueError) as problem:
            raise NoAnswer(f"{self.url} does not answer yet: {problem!r}") from None


def service_client(keystone: Any, url: str, host: Host) -> ServiceClient:
    """Return the client for a resource's ``keystone`` field: one per host and address, for it loads all CAs."""
    own = KeystoneApi(*keystone)
    return host.remember(f"client of {url} {own.user} {hash(own)}", lambda: ServiceClient(own, url, host))


def refusal(status: int, text: bytes, what: str) -> CannotFix:
    """Return what an HTTP error of a service means.

    Args:
        status: a gateway's 502, 503 and 504 mean that nobody is behind it.
        text: the body: a service wraps its message in one object, such as ``{"badRequest": {"message": ...}}``.
        what: the request, in words.
    """
    if status in NOBODY:
        return NoAnswer(f"{what.split()[-1]} does not answer yet: {status} from the proxy before it")
    return Refused(status, f"{status} to {what}: {_message(text)}")


def _message(text: bytes) -> str:
    try:
        (said,) = _only_value(json.loads(text))
        return str(said["message"])
    except (ValueError, KeyError, TypeError, AttributeError):
        return text.decode("utf-8", "replace").strip().replace("\n", " ")[:200]


def _only_value(body: Any) -> Tuple[Any, ...]:
    return tuple(body.values())
