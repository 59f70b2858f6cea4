"""A key that libvirt keeps, and gives to the QEMU of an instance for its disks."""

from __future__ import annotations

import dataclasses
import re
from typing import ClassVar, Dict, Sequence
from xml.sax.saxutils import escape

from installer.agent.host import Host
from installer.resources.base import Actual, CannotFix, Resource, State, Unknown
from installer.resources.secret import Secret

VIRSH = ("virsh", "--quiet", "--connect", "qemu:///system")
#: As virsh shows a kind and a name of use, after the UUID of the secret.
_LISTED = re.compile(r"^\s*([0-9a-f-]{36})\s+(.+?)\s*$", re.MULTILINE)
#: Only root can read this value through libvirt, which is how it is compared.
_XML = """\
<secret ephemeral='no' private='no'>
  <uuid>{uuid}</uuid>
  <usage type='ceph'>
    <name>{title}</name>
  </usage>
</secret>
"""


@dataclasses.dataclass(frozen=True)
class LibvirtSecret(Resource):
    """A key of a Ceph cluster's user under a UUID at libvirt, by which Nova names it.

    Source: libvirt's format of secrets (formatsecret.html) and virsh(1).

    Args:
        uuid: in small letters.
        title: what it is for; no two secrets of a host may have the same.
        value: the key as Ceph writes it, in base64.
    """

    kind: ClassVar[str] = "libvirt-secret"

    uuid: str
    title: str
    value: Secret

    @property
    def name(self) -> str:
        return self.uuid

    def expected(self) -> State:
        return {"use": f"ceph {self.title}", "value": self.value}

    @classmethod
    def query(cls, resources: Sequence[LibvirtSecret], host: Host) -> Dict[str, Actual]:
        listed = host.run([*VIRSH, "secret-list"], expect=None, timeout=60)
        if listed.code:
            last = (listed.err.strip() or "no answer").splitlines()[-1]
            return {resource.id: Unknown(f"libvirt does not run yet: {last}") for resource in resources}
        uses = parse_list(listed.out)
        return {resource.id: _state(resource.uuid, uses, host) for resource in resources}

    def fix(self, actual: Actual, host: Host) -> None:
        (now,) = self.query([self], host).values()
        if isinstance(now, dict) and now["use"] != f"ceph {self.title}":
            raise CannotFix(
                f"libvirt keeps a secret for '{now['use']}' under {self.uuid} already; give another UUID in "
                "CONFIG_CINDER_CEPH_SECRET_UUID, or remove that one if nothing needs it: "
                f"virsh secret-undefine {self.uuid}"
            )
        xml = _XML.format(uuid=self.uuid, title=escape(self.title))
        host.run([*VIRSH, "secret-define", "--file", "/dev/stdin"], stdin=xml, timeout=60)
        host.run([*VIRSH, "secret-set-value", self.uuid, "--file", "/dev/stdin"], stdin=self.value, timeout=60)


def parse_list(text: str) -> Dict[str, str]:
    """Return what each secret of ``virsh secret-list`` is for, by its UUID."""
    return dict(_LISTED.findall(text))


def _state(uuid: str, uses: Dict[str, str], host: Host) -> Actual:
    if uuid not in uses:
        return None
    # One that has no value yet, or a private one, ends with another code.
    got = host.run([*VIRSH, "secret-get-value", uuid], expect=None, timeout=60)
    return {"use": uses[uuid], "value": None if got.code else Secret(got.out.strip())}
