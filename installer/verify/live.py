"""The live cloud as verify sees it: who logs in, who is told, and how things are waited for."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import TypeVar, cast

from keystoneauth1 import exceptions, session
from keystoneauth1.identity import v3
from openstack.connection import Connection as Cloud
from openstack.exceptions import HttpException
from openstack.identity.v3._proxy import Proxy as Identity

from installer.admin_files import DEMO
from installer.answers import Answers
from installer.cloud import CloudHost
from installer.outcome import Listener
from installer.resources.secret import Secret
from installer.transport import Connection
from installer.urls import identity_url
from installer.verify import waiting
from installer.verify.failing import NotLoggedIn

T = TypeVar("T")

#: Seconds that a service may take to answer one request.
PATIENCE = 60
LOGIN_REMEDY = (
    "run `pystack install` again: it sets what the answer file says; `journalctl -u openstack-keystone` tells more"
)


def login_as(url: str, name: str, password: Secret, project: str = "admin") -> v3.Password:
    """Return how somebody proves themselves, for a project.

    Args:
        url: address of the identity API, with its version.
        name: the user, of the domain Default.
        password: the user's.
        project: of the domain Default.
    """
    return v3.Password(
        auth_url=url,
        username=name,
        password=password.reveal(),
        user_domain_name="Default",
        project_name=project,
        project_domain_name="Default",
    )


def session_of(auth: v3.Password, authority: Path) -> session.Session:
    """Return a session that trusts one authority; nothing is asked before its first use."""
    return session.Session(auth=auth, verify=str(authority), timeout=PATIENCE, connect_retries=2)


@dataclass
class Live:
    """The live cloud.

    Args:
        answers: the answer file.
        hosts: its hosts.
        authority: the CA certificate, as a PEM file.
        connect: returns a connection to a host by its address.
        listen: takes every event.
        folder: where what is kept for the operator goes.
        records: where what tells more of this run goes.
        asks_index: whether a package index may be asked.
    """

    answers: Answers
    hosts: Sequence[CloudHost]
    authority: Path
    connect: Callable[[str], Connection]
    listen: Listener
    folder: Path
    records: Path
    asks_index: bool = True
    #: Name of the check that is at work.
    check: str = ""
    _refused: dict[str, NotLoggedIn] = field(default_factory=dict)

    def tell(self, text: str) -> None:
        """Say what is being done."""
        self.listen({"event": "progress", "host": "", "step": self.check, "text": text})

    def wait(self, what: str, seconds: float, look: Callable[[], tuple[T | None, str]]) -> T:
        """Look until there is a result (see ``waiting.until``); a service that does not answer for a moment may do so.

        Raises:
            TimedOut: there was no result in time.
        """

        def patiently() -> tuple[T | None, str]:
            try:
                return look()
            except HttpException as problem:
                if (problem.status_code or 500) < 500:
                    raise
                return None, str(problem)
            except exceptions.ConnectFailure as problem:
                return None, str(problem)

        return waiting.until(what, seconds, patiently, self.tell)

    @property
    def url(self) -> str:
        """Address of the identity API."""
        return identity_url(self.answers)

    @property
    def region(self) -> str:
        """The region whose endpoints are used."""
        return str(self.answers["CONFIG_KEYSTONE_REGION"])

    @cached_property
    def admin_login(self) -> v3.Password:
        """How the admin proves themselves."""
        name, password = self.answers["CONFIG_KEYSTONE_ADMIN_USERNAME"], self.answers["CONFIG_KEYSTONE_ADMIN_PW"]
        return login_as(self.url, str(name), password)

    @cached_property
    def admin(self) -> Cloud:
        """The cloud as the admin sees it; raises NotLoggedIn."""
        return self._cloud("admin", self.admin_login)

    @cached_property
    def demo(self) -> Cloud:
        """The cloud as the demo user sees it; raises NotLoggedIn."""
        return self._cloud(DEMO, login_as(self.url, DEMO, self.answers["CONFIG_KEYSTONE_DEMO_PW"], DEMO))

    @property
    def identity(self) -> Identity:
        """The identity service as the admin sees it."""
        return cast(Identity, self.admin.identity)

    def admin_in(self, project: str) -> Cloud:
        """Return the cloud as the admin sees it in another project."""
        name, password = self.answers["CONFIG_KEYSTONE_ADMIN_USERNAME"], self.answers["CONFIG_KEYSTONE_ADMIN_PW"]
        return self._cloud(f"admin in {project}", login_as(self.url, str(name), password, project))

    def group(self, name: str) -> list[str]:
        """Return the addresses of a group's hosts."""
        return [host.address for host in self.hosts if name in host.groups]

    def _cloud(self, who: str, auth: v3.Password) -> Cloud:
        if who in self._refused:
            raise self._refused[who]
        own = session_of(auth, self.authority)
        try:
            own.get_token()
        except exceptions.ClientException as problem:
            self._refused[who] = NotLoggedIn(
                f"{who} at {self.url}: {problem}", "nobody can use the cloud" if who == "admin" else "", LOGIN_REMEDY
            )
            raise self._refused[who] from None
        return Cloud(session=own, region_name=self.region)
