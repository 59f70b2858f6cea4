"""The identity service: the admin is recognised, a wrong password is not, the catalogue answers over TLS."""

from __future__ import annotations

import secrets
import socket
import ssl
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from urllib.parse import urlsplit

from keystoneauth1 import exceptions, session
from keystoneauth1.identity import v3

from installer.answers import Answers
from installer.outcome import Verdict
from installer.resources.secret import Secret
from installer.urls import identity_url

#: Seconds that a service may take to answer one request.
PATIENCE = 30
#: A certificate that ends sooner than this many days should be renewed by the next run.
LEAST_DAYS = 14

LOGIN_REMEDY = (
    "run `pystack install` again: it sets what the answer file says; `journalctl -u openstack-keystone` tells more"
)


def verdicts(answers: Answers, authority: Path) -> Iterator[Verdict]:
    """Yield the verdicts on the identity service.

    Args:
        answers: the answer file.
        authority: the CA certificate, as a PEM file.
    """
    url = identity_url(answers)
    name, password = str(answers["CONFIG_KEYSTONE_ADMIN_USERNAME"]), answers["CONFIG_KEYSTONE_ADMIN_PW"]
    auth = administrator(url, name, password)
    cloud = login(auth, authority)
    # Checking a password takes Keystone a quarter of a second: both are checked side by side.
    with ThreadPoolExecutor(max_workers=1) as pool:
        refused = pool.submit(_wrong_password, url, name, authority)
        try:
            token = cloud.get_token()
        except exceptions.ClientException as problem:
            found = f"{name} at {url}: {problem}"
            yield Verdict("admin logs in", "fail", found, "nobody can use the cloud", LOGIN_REMEDY)
            return
    yield Verdict("admin logs in", "success", f"{name} gets a token of {len(token or '')} characters from {url}")
    yield refused.result()
    yield from _catalogue(cloud, auth, authority)


def administrator(url: str, name: str, password: Secret) -> v3.Password:
    """Return how the admin proves themselves, for the admin project.

    Args:
        url: address of the identity API, with its version.
        name: the admin.
        password: the admin's.
    """
    return v3.Password(
        auth_url=url,
        username=name,
        password=password.reveal(),
        user_domain_name="Default",
        project_name="admin",
        project_domain_name="Default",
    )


def login(auth: v3.Password, authority: Path) -> session.Session:
    """Return a session that trusts one authority; nothing is asked before its first use."""
    return session.Session(auth=auth, verify=str(authority), timeout=PATIENCE, connect_retries=2)


def _wrong_password(url: str, name: str, authority: Path) -> Verdict:
    title = "a wrong password is refused"
    try:
        login(administrator(url, name, Secret(secrets.token_urlsafe(12))), authority).get_token()
    except exceptions.Unauthorized:
        return Verdict(title, "success", "401 Unauthorized")
    except exceptions.ClientException as problem:
        return Verdict(title, "fail", str(problem), "the service answers otherwise than it should", LOGIN_REMEDY)
    return Verdict(title, "fail", "it was accepted", "anybody can become admin", "take the cloud off the network")


def _catalogue(cloud: session.Session, auth: v3.Password, authority: Path) -> Iterator[Verdict]:
    entries = auth.get_access(cloud).service_catalog.catalog
    endpoints = sorted({endpoint["url"] for entry in entries for endpoint in entry["endpoints"]})
    if not any(entry["type"] == "identity" for entry in entries):
        yield Verdict("catalogue", "fail", "no identity service in it", "clients find no service", LOGIN_REMEDY)
    for url in endpoints:
        yield _answers(cloud, url, authority)


def _answers(cloud: session.Session, url: str, authority: Path) -> Verdict:
    title = f"endpoint {url}"
    if urlsplit(url).scheme != "https":
        return Verdict(title, "fail", "not TLS", "passwords and tokens cross the network in clear", LOGIN_REMEDY)
    try:
        days = certificate_days_left(url, authority)
        code = cloud.get(url, authenticated=False, raise_exc=False).status_code
    except (OSError, exceptions.ClientException) as problem:
        return Verdict(title, "fail", str(problem), "clients cannot use the service", LOGIN_REMEDY)
    found = f"answers {code} over TLS, certificate good for {days:.0f} days"
    if code >= 500:
        return Verdict(title, "fail", found, "clients cannot use the service", LOGIN_REMEDY)
    if days < LEAST_DAYS:
        return Verdict(title, "warn", found, "clients will refuse it then", "run `pystack install`: it renews")
    return Verdict(title, "success", found)


def certificate_days_left(url: str, authority: Path) -> float:
    """Return for how many days the certificate of an https address is good.

    Raises:
        OSError: no connection, or the certificate does not prove itself by the authority.
    """
    parts = urlsplit(url)
    context = ssl.create_default_context(cafile=str(authority))
    with (
        socket.create_connection((parts.hostname or "", parts.port or 443), timeout=PATIENCE) as plain,
        context.wrap_socket(plain, server_hostname=parts.hostname) as secured,
    ):
        certificate = secured.getpeercert() or {}
    return (ssl.cert_time_to_seconds(str(certificate["notAfter"])) - time.time()) / 86400
