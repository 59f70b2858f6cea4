"""What Nova keeps for its users: flavors and key pairs. What is there by name is left as it is."""

from __future__ import annotations

import dataclasses
from typing import ClassVar, Mapping, Optional

from installer.agent.host import Host
from installer.resources.base import Actual, CannotFix, Resource, State
from installer.resources.json_api import Entity
from installer.resources.keystone_api import KeystoneApi
from installer.resources.service_api import KeptByService, ServiceClient


@dataclasses.dataclass(frozen=True)
class Flavor(KeptByService, Resource):
    """A flavor that everybody may use.

    Args:
        keystone: where Keystone is, and its administrator.
        url: address of the compute API, with its version.
        flavor: its name.
        cores: virtual cores.
        memory: MiB of memory.
        disk: GiB of the first disk; 0 means as many as the image has.
    """

    kind: ClassVar[str] = "flavor"

    keystone: KeystoneApi
    url: str
    flavor: str
    cores: int
    memory: int
    disk: int

    @property
    def name(self) -> str:
        return self.flavor

    def expected(self) -> State:
        return {"flavor": self.flavor}

    def state(self, client: ServiceClient) -> Actual:
        known = [one["name"] for one in client.list("/flavors?is_public=None")]
        return self.expected() if self.flavor in known else None

    def settle(self, client: ServiceClient, host: Host) -> None:
        values = {"name": self.flavor, "vcpus": self.cores, "ram": self.memory, "disk": self.disk}
        client.post("/flavors", {"flavor": values})


@dataclasses.dataclass(frozen=True)
class KeyPair(KeptByService, Resource):
    """The public half of a key, by which a user's instances let him in.

    Args:
        keystone: where Keystone is, and its administrator.
        url: address of the compute API, with its version.
        key: its name.
        user: name of the user, in the domain ``default``.
        public_key: as OpenSSH writes it.
    """

    kind: ClassVar[str] = "key-pair"
    #: The first version in which the administrator may ask for somebody else's (Nova's history of API versions).
    headers: ClassVar[Mapping[str, str]] = {"OpenStack-API-Version": "compute 2.10"}

    keystone: KeystoneApi
    url: str
    key: str
    user: str
    public_key: str

    @property
    def name(self) -> str:
        return f"{self.key} of {self.user}"

    def expected(self) -> State:
        return {"key pair": self.key}

    def state(self, client: ServiceClient) -> Actual:
        user = self._user(client)
        known = client.list(f"/os-keypairs?user_id={user['id']}") if user else []
        return self.expected() if self.key in [one["keypair"]["name"] for one in known] else None

    def settle(self, client: ServiceClient, host: Host) -> None:
        user = self._user(client)
        if user is None:
            raise CannotFix(f"keystone has no user {self.user}")
        values = {"name": self.key, "type": "ssh", "public_key": self.public_key, "user_id": user["id"]}
        client.post("/os-keypairs", {"keypair": values})

    def _user(self, client: ServiceClient) -> Optional[Entity]:
        return client.identity.find("users", name=self.user, domain_id="default")
