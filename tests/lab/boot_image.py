"""An image to boot instances from, for hosts of distributions that pystack can make none of: made on a Debian host."""

from __future__ import annotations

import hashlib
import shutil
from pathlib import Path

from installer import lab
from installer.engine.session import AgentSession
from installer.lab import fleet
from installer.platforms import facts, find
from installer.resources.test_image import TestImage as Image
from installer.transport.connect import connect
from installer.transport.login import Login

#: Kept between runs: it takes longer to make than to check what it was made of.
KEPT = Path("/var/cache/pystack/lab-boot-image")
NAME = "t-image"
PLATFORM = "debian-13"


def provide() -> Path:
    """Return the image, raw; made when there is none of this recipe."""
    told = facts(find(PLATFORM), "test_image")
    image = Image("/root/test.img", told["kernel"], tuple(told["packages"]))
    recipe = hashlib.sha256(repr(image.expected()).encode()).hexdigest()[:12]
    kept = KEPT / f"{recipe}.img"
    if kept.exists():
        return kept
    lab.down([host.name for host in lab.hosts() if host.name == NAME])
    # Not by lab.up, which is watched: no test is about this host, and none must be counted for its platform.
    (host,) = fleet.up([NAME], PLATFORM)
    try:
        host.run(["apt-get", "-qq", "update"], check=True)
        login = Login("root", private_key=(host.private_key,), known_hosts=(host.known_hosts,))
        session = AgentSession(connect(host.address, login), lambda _: None, {})
        session.plan({"image": [image]}).result(120)
        session.lock("tests", "boot-image", 10).result(30)
        done = session.apply("image").result(600)
        session.close()
        assert "failure" not in done, done["failure"]
        KEPT.mkdir(parents=True, exist_ok=True)
        shutil.copy2(host.root / image.path.lstrip("/"), kept)
    finally:
        lab.down([NAME])
    return kept
