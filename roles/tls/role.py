"""TLS: every host trusts the cloud's authority, and those that serve have a certificate of it."""

from __future__ import annotations

import re
from collections.abc import Iterable

from installer.cloud import GROUPS, Cloud, CloudHost
from installer.resources.base import Resource
from installer.resources.command import Command
from installer.resources.file import Directory, File
from installer.resources.package import Package
from installer.roles import Role

FOLDER = "/etc/pystack/tls"
#: The host's certificate, those above it, and its private key, as HAProxy wants them: in one file.
SERVER = f"{FOLDER}/server.pem"


class TLS(Role):
    """The authority on every host, and each host's own certificate."""

    name = "tls"
    title = "Certificates"
    groups = GROUPS
    after_here = ("base",)

    def resources(self, cloud: Cloud, host: CloudHost) -> Iterable[Resource]:
        facts = self.facts(host)
        yield Package(facts["package"])
        authorities = one_by_one(cloud.certificates.ca_pem)
        for number, pem in enumerate(authorities, 1):
            # The store wants one certificate per file.
            yield File(f"{facts['anchors']}/pystack-{number}{facts['suffix']}", content=pem)
        if unfinished := facts.get("unfinished"):
            yield File(unfinished, absent=True)
        for number, pem in enumerate(authorities, 1):
            yield Command(
                f"trust-authority-{number}",
                tuple(facts["update"]),
                unless=("grep", "--quiet", "--fixed-strings", "--", own_line(pem), facts["bundle"]),
                # 2: there is no bundle yet.
                not_done=(1, 2),
            )
        yield Directory(FOLDER, mode=0o700)
        chain, key = cloud.certificates.certificate(host.address)
        yield File(SERVER, content=chain + key.reveal(), secrets=(key,), mode=0o600)

    def bundle(self, host: CloudHost) -> str:
        """Return the file with all authorities that a host trusts."""
        return str(self.facts(host)["bundle"])


def one_by_one(pem: str) -> list[str]:
    """Return each certificate of a PEM text."""
    return re.findall(r"-----BEGIN CERTIFICATE-----\n.*?-----END CERTIFICATE-----\n", pem, re.DOTALL)


def own_line(pem: str) -> str:
    """Return a line that no other certificate has: the last whole one, which lies in the signature."""
    return pem.splitlines()[-3]


ROLE = TLS()
