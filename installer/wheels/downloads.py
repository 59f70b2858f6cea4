"""Files over http, https or from this machine, with its own proxies, trust and logins."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence

import httpx2
from unearth.auth import MultiDomainBasicAuth
from unearth.fetchers.sync import PyPIClient

from installer.agent.reach import split_login
from installer.errors import PystackError

#: Seconds without a byte, and for a connection.
PATIENCE = httpx2.Timeout(60.0, connect=10.0)


class NoWay(Exception):
    """A page or a file cannot be had; the message says why in one line."""


class ProxyNotUsable(PystackError):
    """This machine is told of a proxy that cannot be used."""

    exit_code = 2


class _Client(PyPIClient):
    def iter_secure_origins(self) -> Iterable[tuple[str, str, str]]:
        # A site's index may do without TLS: what comes from it is known by its hash.
        return (("*", "*", "*"),)


class Downloads:
    """Downloads files. May be used by several threads.

    Args:
        proxy: the proxy for all of them; empty leaves it to the environment.
        indexes: addresses whose logins count for what lies on the same servers.

    Raises:
        ProxyNotUsable: the proxy, or one that the environment names, is none for HTTP.
    """

    def __init__(self, proxy: str = "", indexes: Sequence[str] = ()) -> None:
        try:
            self.client = _Client(
                timeout=PATIENCE, proxy=proxy or None, follow_redirects=True, event_hooks={"response": [_refuse_faults]}
            )
        except (ImportError, ValueError) as problem:
            # What it says may hold a login. It lacks a module for SOCKS, and for nothing else.
            why = "it is one for SOCKS" if isinstance(problem, ImportError) else "its address is none of http or https"
            raise ProxyNotUsable(
                f"this machine's proxy cannot be used to fetch wheels: {why}",
                "set HTTPS_PROXY and HTTP_PROXY to a proxy for HTTP, and take ALL_PROXY away; or put that right in the "
                "configuration of this machine's uv or pip",
            ) from None
        # Nobody may be asked for a login while hosts wait.
        self.client.auth = MultiDomainBasicAuth(prompting=False, index_urls=list(indexes))

    def content(self, url: str) -> Iterator[bytes]:
        """Yield a file block by block.

        Raises:
            NoWay: it cannot be had.
        """
        try:
            # As it lies there: its hash is of that.
            with self.client.stream("GET", url, headers={"Accept-Encoding": "identity"}) as answer:
                if answer.status_code >= 400:
                    raise NoWay(f"{split_login(url)[0]} {answered(answer)}")
                yield from answer.iter_raw()
        except (httpx2.HTTPError, httpx2.InvalidURL, OSError) as problem:
            raise NoWay(f"{split_login(url)[0]}: {reason(problem)}") from None

    def close(self) -> None:
        """Let go of all connections."""
        self.client.close()


def reason(problem: Exception) -> str:
    """Return in words what went wrong."""
    return str(problem) or type(problem).__name__


def answered(answer: httpx2.Response) -> str:
    """Return in words what a server answered."""
    return f"answers {answer.status_code} {answer.reason_phrase}".rstrip()


def _refuse_faults(answer: httpx2.Response) -> None:
    # A page that cannot be had just now is not one that has nothing.
    if answer.status_code >= 500:
        raise httpx2.HTTPStatusError(f"the server {answered(answer)}", request=answer.request, response=answer)
