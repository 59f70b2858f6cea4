"""An HTTP API of one of the cloud's own hosts, to which one sends JSON and which answers with JSON."""

from __future__ import annotations

import http.client
import json
import socket
import ssl
import urllib.error
import urllib.request
from typing import Any, Dict, Iterable, Mapping, NamedTuple, Optional, Union

from installer.resources.base import CannotFix

Entity = Dict[str, Any]

#: One password check takes Keystone about a quarter of a second; a server that swaps takes longer.
ANSWER_SECONDS = 30.0
#: What a gateway says while nobody is behind it.
NOBODY = (502, 503, 504)


class NoAnswer(CannotFix):
    """The API cannot be asked now: not running, not reachable, or the administrator's login is refused."""


class Refused(CannotFix):
    """The API refused a request.

    Args:
        status: HTTP status.
    """

    def __init__(self, status: int, text: str) -> None:
        super().__init__(text)
        self.status = status


class Answer(NamedTuple):
    """What an API answered: the header, of which the names have no case, and the body."""

    header: Mapping[str, str]
    body: Entity


class JsonApi:
    """An API at an address.

    Args:
        url: the API's address, with its version.
        ca_file: CA certificates (PEM) to trust; empty: those that the host trusts.
    """

    def __init__(self, url: str, ca_file: str = "") -> None:
        self.url = url
        context = ssl.create_default_context(cafile=ca_file or None)
        # It is on one of the cloud's own hosts, never behind a proxy to the outside.
        self._opener = urllib.request.build_opener(
            urllib.request.ProxyHandler({}), urllib.request.HTTPSHandler(context=context)
        )

    def send(
        self, method: str, path: str, body: Optional[Entity], header: Mapping[str, str], seconds: float = ANSWER_SECONDS
    ) -> Answer:
        """Send a request and return the answer.

        Args:
            method: such as ``POST``.
            path: below the address.
            body: None: the request has none.
            header: what it says besides.
            seconds: how long the answer may take.

        Raises:
            NoAnswer: nobody answers.
            Refused: the answer is an error.
        """
        data = None if body is None else json.dumps(body).encode()
        kinds = {"Content-Type": "application/json", "Accept": "application/json"}
        return self.send_data(method, path, data, {**kinds, **header}, seconds)

    def send_data(
        self,
        method: str,
        path: str,
        data: Union[bytes, Iterable[bytes], None],
        header: Mapping[str, str],
        seconds: float,
    ) -> Answer:
        """Send a request whose body is not JSON; arguments and errors are those of ``send``."""
        request = urllib.request.Request(self.url + path, data, dict(header), method=method)  # noqa: S310
        try:
            with self._opener.open(request, timeout=seconds) as answer:
                text = answer.read()
                return Answer(answer.headers, json.loads(text) if text else {})
        except urllib.error.HTTPError as problem:
            with problem:
                raise refusal(problem.code, problem.read(4096), f"{method} {self.url}{path}") from None
        except (OSError, http.client.HTTPException, ValueError) as problem:
            raise NoAnswer(f"{self.url} does not answer yet: {words(problem, seconds)}") from None


def refusal(status: int, text: bytes, what: str) -> CannotFix:
    """Return what an HTTP error means.

    Args:
        status: a gateway's 502, 503 and 504 mean that nobody is behind it.
        text: the body: at best a message within one object, such as ``{"badRequest": {"message": ...}}``.
        what: the request, in words.
    """
    if status in NOBODY:
        return NoAnswer(f"{what.split()[-1]} does not answer yet: {status} from the proxy before it")
    return Refused(status, f"{status} to {what}: {_message(text)}")


def _message(text: bytes) -> str:
    try:
        (said,) = json.loads(text).values()
        return str(said["message"])
    except (ValueError, KeyError, TypeError, AttributeError):
        return text.decode("utf-8", "replace").strip().replace("\n", " ")[:200]


def words(problem: Exception, seconds: float) -> str:
    """Return in words why there was no answer.

    Args:
        problem: what was raised.
        seconds: how long was waited at most.
    """
    reason = getattr(problem, "reason", problem)
    if isinstance(reason, ssl.SSLCertVerificationError):
        return f"its certificate is not trusted: {reason.verify_message}"
    if isinstance(reason, (socket.timeout, TimeoutError)):
        return f"no answer within {seconds:.0f} s"
    if isinstance(reason, OSError):
        return str(reason.strerror or reason)
    # What is no HTTP at all comes as one of many exceptions of http.client.
    return f"{type(reason).__name__}: {reason}" if isinstance(reason, Exception) else str(reason)
