"""Who may use the cloud: the admin and the demo user, and nobody with a wrong password."""

from __future__ import annotations

import secrets
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor

from keystoneauth1 import exceptions

from installer.admin_files import DEMO
from installer.outcome import Verdict
from installer.resources.secret import Secret
from installer.verify.failing import NotLoggedIn
from installer.verify.live import LOGIN_REMEDY, Live, login_as, session_of


def verdicts(live: Live) -> Iterator[Verdict]:
    """Yield the verdicts on logins."""
    with ThreadPoolExecutor(max_workers=2) as pool:
        # Checking a password takes Keystone a quarter of a second: they are checked side by side.
        refused = pool.submit(_wrong_password, live)
        demo = pool.submit(_logs_in, live, DEMO) if live.answers["CONFIG_PROVISION_DEMO"] else None
        yield _logs_in(live, "admin")
        if demo is not None:
            yield demo.result()
        yield refused.result()
    if demo is None:
        yield Verdict("demo logs in", "skipped", "left out: CONFIG_PROVISION_DEMO=n, so there is no such user")


def _logs_in(live: Live, who: str) -> Verdict:
    title = f"{who} logs in"
    try:
        cloud = live.admin if who == "admin" else live.demo
    except NotLoggedIn as problem:
        return problem.verdict(title)
    token = cloud.session.get_token() or ""
    return Verdict(title, "success", f"gets a token of {len(token)} characters for project {who} from {live.url}")


def _wrong_password(live: Live) -> Verdict:
    title = "a wrong password is refused"
    name = str(live.answers["CONFIG_KEYSTONE_ADMIN_USERNAME"])
    wrong = login_as(live.url, name, Secret(secrets.token_urlsafe(12)))
    try:
        session_of(wrong, live.authority).get_token()
    except exceptions.Unauthorized:
        return Verdict(title, "success", "401 Unauthorized")
    except exceptions.ClientException as problem:
        return Verdict(title, "fail", str(problem), "the service answers otherwise than it should", LOGIN_REMEDY)
    return Verdict(title, "fail", "it was accepted", "anybody can become admin", "take the cloud off the network")
