"""The first entries of a new Keystone: administrator, roles, its own endpoints."""

from __future__ import annotations

import dataclasses
import json
from typing import Any, ClassVar, Dict, List, Mapping, Sequence

from installer.agent.host import Host
from installer.resources.base import Actual, Resource, State
from installer.resources.keystone_api import Client, KeptByKeystone, KeystoneApi, client_of
from installer.resources.secret import Secret

#: Runs ``keystone-manage`` with arguments from standard input: the password never is an argument of a process. The
#: argument list of ``main`` is the same in 2026.1 and 2026.2 (keystone/cmd/cli.py).
PROGRAM = "import json, sys; from keystone.cmd import cli; cli.main(json.load(sys.stdin))"


@dataclasses.dataclass(frozen=True)
class KeystoneBootstrap(KeptByKeystone, Resource):
    """What ``keystone-manage bootstrap`` makes: domain, project, administrator, roles, region and identity endpoints.

    It is there when the administrator can log in and finds the endpoints in the catalogue; these are made last.
    Keystone must run, and its database must have its tables.

    Args:
        keystone: where it answers, and the administrator to be.
        python: the interpreter that has Keystone's modules.
        account: the host's account that may read Keystone's configuration.
        region: region of the endpoints.
        public_url, internal_url, admin_url: addresses for the catalogue, with the version.
    """

    kind: ClassVar[str] = "keystone-bootstrap"

    keystone: KeystoneApi
    python: str
    account: str
    region: str
    public_url: str
    internal_url: str
    admin_url: str

    @property
    def name(self) -> str:
        return self.region

    def expected(self) -> State:
        return {"public": self.public_url, "internal": self.internal_url, "admin": self.admin_url}

    def state(self, client: Client) -> Actual:
        return identity_endpoints(client.token().body, self.region)

    @classmethod
    def fix_all(cls, differing: Sequence[Any], host: Host) -> None:
        for resource, _ in differing:
            client_of(resource.keystone, host).wait()
            resource.fix(None, host)
            client_of(resource.keystone, host).forget()

    def fix(self, actual: Actual, host: Host) -> None:
        host.run(
            [self.python, "-c", PROGRAM],
            stdin=Secret(json.dumps(self.arguments())),
            user=self.account,
            timeout=300,
        )

    def arguments(self) -> List[str]:
        """Return the arguments of ``keystone-manage``, its own name first."""
        api = KeystoneApi(*self.keystone)
        values = {
            "username": api.user,
            "password": api.password.reveal(),
            "project-name": api.project,
            "role-name": "admin",
            "service-name": "keystone",
            "region-id": self.region,
            "public-url": self.public_url,
            "internal-url": self.internal_url,
            "admin-url": self.admin_url,
        }
        return ["keystone-manage", "bootstrap", *(f"--bootstrap-{key}={value}" for key, value in values.items())]


def identity_endpoints(token: Mapping[str, Any], region: str) -> Dict[str, str]:
    """Return the addresses of Keystone by interface, from the catalogue that comes with a token."""
    return {
        endpoint["interface"]: endpoint["url"]
        for service in token.get("catalog", [])
        if service["type"] == "identity"
        for endpoint in service["endpoints"]
        if endpoint["region_id"] == region
    }
