"""Every endpoint of the catalogue, and the dashboard: each answers, over TLS, with a certificate of the authority."""

from __future__ import annotations

import socket
import ssl
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from urllib.parse import urlsplit

from keystoneauth1 import exceptions, session

from installer.outcome import Verdict
from installer.urls import dashboard_url
from installer.verify.live import LOGIN_REMEDY, Live

#: Seconds until an endpoint that does not take a connection is given up.
PATIENCE = 30
#: A certificate that ends sooner than this many days should be renewed by the next run.
LEAST_DAYS = 14


def verdicts(live: Live) -> Iterator[Verdict]:
    """Yield a verdict on each endpoint."""
    cloud = live.admin.session
    entries = live.admin_login.get_access(cloud).service_catalog.catalog
    if not any(entry["type"] == "identity" for entry in entries):
        yield Verdict("catalogue", "fail", "no identity service in it", "clients find no service", LOGIN_REMEDY)
    urls = {endpoint["url"]: entry["type"] for entry in entries for endpoint in entry["endpoints"]}
    if live.answers["CONFIG_HORIZON_INSTALL"]:
        urls[dashboard_url(live.answers)] = "dashboard"
    with ThreadPoolExecutor(max_workers=8) as pool:
        waiting = [pool.submit(_answers, cloud, urls[url], url, live.authority) for url in sorted(urls)]
        for one in waiting:
            yield one.result()


def _answers(cloud: session.Session, service: str, url: str, authority: Path) -> Verdict:
    title = f"endpoint {url}"
    remedy = "`pystack install` starts what is down; on the controller: `journalctl -u haproxy -u 'openstack-*' -n 50`"
    if urlsplit(url).scheme != "https":
        return Verdict(title, "fail", "not TLS", "passwords and tokens cross the network in clear", remedy)
    try:
        days = certificate_days_left(url, authority)
        code = cloud.get(url, authenticated=False, raise_exc=False).status_code
    except (OSError, exceptions.ClientException) as problem:
        return Verdict(title, "fail", f"{service}: {problem}", "clients cannot use the service", remedy)
    return judge(title, service, code, days, remedy)


def judge(title: str, service: str, code: int, days: float, remedy: str) -> Verdict:
    """Return the verdict on an endpoint that answered.

    Args:
        title: of the verdict.
        service: type of the service.
        code: HTTP status of the answer without a login.
        days: for how long its certificate is good.
        remedy: what to do when it does not work.
    """
    found = f"{service} answers {code} over TLS, certificate good for {days:.0f} days"
    if code >= 500:
        return Verdict(title, "fail", found, "clients cannot use the service", remedy)
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
