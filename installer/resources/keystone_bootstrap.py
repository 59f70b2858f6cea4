"""The first entries of a new Keystone: administrator, roles, its own endpoints."""

from __future__ import annotations

import dataclasses
import json
from typing import Any, ClassVar, List, Mapping, Sequence, Tuple

from installer.agent.host import Host
from installer.resources.base import Actual, Resource, State
from installer.resources.keystone import INTERFACES
from installer.resources.keystone_api import Client, KeptByKeystone, KeystoneApi, client_of
from installer.resources.secret import Secret

#: Runs ``keystone-manage`` with arguments from standard input: the password never is an argument of a process. The
#: argument list of ``main`` is the same in 2026.1 and 2026.2 (keystone/cmd/cli.py).
PROGRAM = "import json, sys; from keystone.cmd import cli; cli.main(json.load(sys.stdin))"


@dataclasses.dataclass(frozen=True)
class Bootstrap(KeptByKeystone, Resource):
    """What ``keystone-manage bootstrap`` makes: domain, project, administrator, roles, region and identity endpoints.

    It is there when the administrator can log in and finds the endpoints in the catalogue; these are made last. Which
    addresses they have is the business of ``Endpoint``. Keystone must run, and its database must have its tables.

    Args:
        keystone: where it answers, and the administrator to be.
        region: region of the endpoints.
        python: the interpreter that has Keystone's modules.
        account: the host's account that may read Keystone's configuration.
    """

    kind: ClassVar[str] = "keystone-bootstrap"

    keystone: KeystoneApi
    region: str
    python: str
    account: str

    @property
    def name(self) -> str:
        return self.region

    def expected(self) -> State:
        return {"administrator": KeystoneApi(*self.keystone).user, "endpoints": tuple(sorted(INTERFACES))}

    def state(self, client: Client) -> Actual:
        token = client.token().body
        return {"administrator": token["user"]["name"], "endpoints": identity_interfaces(token, self.region)}

    @classmethod
    def fix_all(cls, differing: Sequence[Any], host: Host) -> None:
        for resource, _ in differing:
            client = client_of(resource.keystone, host)
            client.wait()
            host.run(
                [resource.python, "-c", PROGRAM],
                stdin=Secret(json.dumps(resource.arguments())),
                user=resource.account,
                timeout=300,
            )
            client.forget()

    def arguments(self) -> List[str]:
        """Return the arguments of ``keystone-manage``, its own name first."""
        api = KeystoneApi(*self.keystone)
        values = {
            "username": api.user,
            "password": api.password.reveal(),
            "project-name": api.project,
            "region-id": self.region,
            **{f"{interface}-url": api.url for interface in INTERFACES},
        }
        return ["keystone-manage", "bootstrap", *(f"--bootstrap-{key}={value}" for key, value in values.items())]


def identity_interfaces(token: Mapping[str, Any], region: str) -> Tuple[str, ...]:
    """Return which interfaces of Keystone the catalogue has that comes with a token, sorted."""
    return tuple(
        sorted(
            endpoint["interface"]
            for service in token.get("catalog", [])
            if service["type"] == "identity"
            for endpoint in service["endpoints"]
            if endpoint["region_id"] == region
        )
    )
