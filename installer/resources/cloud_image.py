"""An image that Glance keeps."""

from __future__ import annotations

import dataclasses
import hashlib
import os
from typing import Any, ClassVar, Dict, List, Optional, Tuple
from urllib.parse import quote

from installer.agent.host import Host
from installer.resources.base import Actual, CannotFix, Resource, State
from installer.resources.downloading import Progress, blocks, download, sha256_of
from installer.resources.json_api import Entity
from installer.resources.keystone_api import KeystoneApi
from installer.resources.secret import Secret
from installer.resources.service_api import KeptByService, ServiceClient

#: What was downloaded is kept here until the image is there.
CACHE = "/var/cache/pystack/images"


@dataclasses.dataclass(frozen=True)
class CloudImage(KeptByService, Resource):
    """An image that everybody may use. One of this name that is there is left as it is; one cut off is carried on.

    Args:
        keystone: where Keystone is, and its administrator.
        url: address of the image API, with its version.
        image: its name.
        source: path of a file on this host, or an address of http or https.
        format: ``disk_format``, such as ``qcow2``.
        sha256: 64 hex digits that the file must have; empty: any.
        properties: further properties by name.
        proxies: proxy by scheme for downloads; none leaves them to the host.
    """

    kind: ClassVar[str] = "image"

    keystone: KeystoneApi
    url: str
    image: str
    source: str
    format: str
    sha256: str = ""
    properties: Tuple[Tuple[str, str], ...] = ()
    proxies: Tuple[Tuple[str, Secret], ...] = ()

    @property
    def name(self) -> str:
        return self.image

    def expected(self) -> State:
        return {"status": "active"}

    def state(self, client: ServiceClient) -> Actual:
        found = self._found(client)
        return {"status": found["status"]} if found else None

    def settle(self, client: ServiceClient, host: Host) -> None:
        found = self._found(client)
        if found is not None and found["status"] == "saving":
            raise CannotFix(f"somebody else uploads the image {self.image} just now; wait until it is active")
        if found is not None and found["status"] != "queued":
            raise CannotFix(f"there is an image {self.image} that is {found['status']}; remove or rename it")
        path = self._file(host)
        values: Dict[str, Any] = {
            "name": self.image,
            "disk_format": self.format,
            "container_format": "bare",
            "visibility": "public",
            **dict(self.properties),
        }
        own = found or client.post("/images", values)
        self._upload(client, str(own["id"]), path, host)
        if path != self.source:
            os.unlink(path)

    def _found(self, client: ServiceClient) -> Optional[Entity]:
        known: List[Entity] = client.list(f"/images?name={quote(self.image, safe='')}")
        return next((one for one in known if one["status"] == "active"), next(iter(known), None))

    def _file(self, host: Host) -> str:
        """Return the path of the file, downloaded first if it is elsewhere.

        Raises:
            CannotFix: it is not there, or not the one that is wanted.
        """
        if self.source.startswith("/"):
            if not os.path.isfile(self.source):
                raise CannotFix(f"the image {self.image} is to come from {self.source}, and there is no such file here")
            self._check(self.source, host)
            return self.source
        os.makedirs(CACHE, mode=0o755, exist_ok=True)
        path = os.path.join(CACHE, hashlib.sha256(self.source.encode()).hexdigest()[:16])
        if not os.path.exists(path):
            proxies = {scheme: address.reveal() for scheme, address in self.proxies}
            download(self.source, path, f"image {self.image}", proxies, host)
        try:
            self._check(path, host)
        except CannotFix:
            os.unlink(path)
            raise
        return path

    def _check(self, path: str, host: Host) -> None:
        if not self.sha256:
            return
        host.progress(f"image {self.image}: comparing its checksum")
        found = sha256_of(path)
        if found != self.sha256.lower():
            raise CannotFix(
                f"what {self.source} holds has the sha256 {found}, and {self.sha256} is wanted: it is another file, "
                "or it was damaged on the way"
            )

    def _upload(self, client: ServiceClient, image: str, path: str, host: Host) -> None:
        size = os.path.getsize(path)
        digest = hashlib.sha512()
        progress = Progress(f"uploading image {self.image}", host, size)
        client.upload(f"/images/{image}/file", blocks(path, progress, digest), size)
        kept = client.get(f"/images/{image}")
        if kept.get("os_hash_algo") == "sha512" and kept.get("os_hash_value") != digest.hexdigest():
            raise CannotFix(f"the image service has kept something else than it was sent as image {self.image}")
