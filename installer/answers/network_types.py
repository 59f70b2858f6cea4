"""Types of parameters that name hosts and networks: addresses, URLs, keys of hosts."""

from __future__ import annotations

import ipaddress
import re
from dataclasses import dataclass
from typing import Any, ClassVar
from urllib.parse import urlsplit

from installer.answers.plain_types import Type, without_control
from installer.answers.shown import ValueProblem, shown


@dataclass(frozen=True)
class Url(Type):
    """An http or https address."""

    title: ClassVar[str] = "URL"

    def read(self, text: str) -> str:
        """Return the URL as written."""
        without_control(text)
        try:
            parts = urlsplit(text)
            fits = parts.scheme in ("http", "https") and parts.hostname and (parts.port or 1)
        except ValueError:
            fits = False
        if not fits or re.search(r"\s", text):
            # The value may hold the password of a proxy, so the message does not repeat it.
            raise ValueProblem("this is not a URL", "write it as http://host:port/path or https://host/path")
        return text


@dataclass(frozen=True)
class UrlOrPath(Url):
    """An http or https address, or an absolute path."""

    title: ClassVar[str] = "URL, or path that begins with /"
    blank: ClassVar[Any] = ""

    def read(self, text: str) -> str:
        """Return the URL or path as written."""
        if without_control(text).startswith("/"):
            return text
        try:
            return super().read(text)
        except ValueProblem:
            raise ValueProblem(
                "this is neither a URL nor an absolute path",
                "write it as https://host/path, or as a path that begins with /",
            ) from None


@dataclass(frozen=True)
class Address(Type):
    """An IPv4 or IPv6 address."""

    title: ClassVar[str] = "IPv4 or IPv6 address"

    def read(self, text: str) -> ipaddress.IPv4Address | ipaddress.IPv6Address:
        """Return the address; square brackets around IPv6 are accepted."""
        bare = text[1:-1] if text.startswith("[") and text.endswith("]") else text
        try:
            address = ipaddress.ip_address(bare)
        except ValueError:
            raise ValueProblem(
                f"{shown(text)} is not an IPv4 or IPv6 address", "write it as 192.0.2.10 or 2001:db8::10"
            ) from None
        if getattr(address, "scope_id", None):
            raise ValueProblem(
                f"{shown(text)} names an interface, which other hosts do not know", "use a routable address"
            )
        return address


@dataclass(frozen=True)
class Network(Type):
    """An IPv4 or IPv6 network in CIDR notation; bits below the prefix are cut off."""

    title: ClassVar[str] = "network such as 192.0.2.0/24 or 2001:db8::/64"

    def read(self, text: str) -> ipaddress.IPv4Network | ipaddress.IPv6Network:
        """Return the network."""
        remedy = "write it as 192.0.2.0/24 or 2001:db8::/64"
        if not re.fullmatch(r"[0-9A-Fa-f:.]+/[0-9]{1,3}", text):
            raise ValueProblem(f"{shown(text)} is not a network with its prefix length", remedy)
        try:
            return ipaddress.ip_network(text, strict=False)
        except ValueError:
            raise ValueProblem(f"{shown(text)} is not a network", remedy) from None


@dataclass(frozen=True)
class Host(Type):
    """A host by name or address."""

    title: ClassVar[str] = "host name or address"
    LABEL: ClassVar[str] = r"[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?"

    def read(self, text: str) -> str:
        """Return the name in lower case, or the address in its shortest form."""
        name = text.lower()
        if ":" in name.strip("[]") and not re.fullmatch(r"[^:]+:[0-9]+", name):
            return str(Address().read(name))
        if re.fullmatch(r"[0-9.]+", name):
            return str(Address().read(name))
        # RFC 1123: a name whose last label is all digits could be taken for an address.
        valid = re.fullmatch(rf"{self.LABEL}(\.{self.LABEL})*\.?", name) and len(name) <= 253
        if not valid or name.rstrip(".").rpartition(".")[2].isdigit():
            raise ValueProblem(f"{shown(text)} is neither a host name nor an address", _host_remedy(text))
        return name.rstrip(".")


@dataclass(frozen=True)
class HostKey(Type):
    """The fingerprint of a host's SSH key, as OpenSSH prints it: SHA-256 in base64 without padding."""

    title: ClassVar[str] = "host=SHA256:fingerprint"

    def read(self, text: str) -> str:
        """Return ``host=SHA256:fingerprint`` with the host spelled as ``Host`` spells it."""
        match = re.fullmatch(r"([^=\s]+)=(SHA256:[A-Za-z0-9+/]{43})=?", text)
        if not match:
            raise ValueProblem(f"{shown(text)} is not of the form {self.title}", f"write it as {self.title}")
        return f"{Host().read(match[1])}={match[2]}"


def _host_remedy(text: str) -> str:
    if "@" in text:
        return "leave out the user here and set CONFIG_SSH_USER"
    if re.fullmatch(r"[^:]+:[0-9]+", text):
        return "leave out the port here and set CONFIG_SSH_PORT"
    return "write one name such as node1.example.org, or one address such as 192.0.2.10 or 2001:db8::10"
