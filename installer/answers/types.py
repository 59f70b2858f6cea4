"""The types of parameters: each reads text, writes it back, and says what is wrong in the operator's words."""

from __future__ import annotations

import ipaddress
import math
import re
import unicodedata
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import PurePosixPath
from typing import Any, ClassVar
from urllib.parse import urlsplit

from installer import sections
from installer.answers.shown import ValueProblem, shown
from installer.resources.secret import Secret

YES = ("y", "yes", "true")
NO = ("n", "no", "false")


def _is_control(char: str) -> bool:
    return unicodedata.category(char) in ("Cc", "Cs", "Zl", "Zp")


def _no_control(text: str, allowed: str = "") -> str:
    for char in text:
        if _is_control(char) and char not in allowed:
            what = "a line break" if char == "\n" else f"the control character U+{ord(char):04X}"
            raise ValueProblem(f"the value holds {what}", "remove it")
    return text


@dataclass(frozen=True)
class Type:
    """Base of all types: ``blank`` is the value of an empty text, ``title`` what documentation calls the type."""

    title: ClassVar[str] = ""
    blank: ClassVar[Any] = None

    def parse(self, text: str) -> Any:
        """Return the value that a text stands for; raises ValueProblem. An empty text stands for ``blank``."""
        return self.read(text.strip()) if text.strip() else self.blank

    def read(self, text: str) -> Any:
        """Return the value of a text that is not empty; every type MUST override this."""
        raise NotImplementedError

    def format(self, value: Any) -> str:
        """Return the text that ``parse`` turns into this value."""
        return "" if value is None else str(value)

    def describe(self) -> str:
        """Return what may be written, for documentation and comments."""
        return self.title


@dataclass(frozen=True)
class Text(Type):
    """One line of text; ``pattern`` is a regular expression for all of it, and ``shape`` tells people what it means."""

    title: ClassVar[str] = "text"
    blank: ClassVar[Any] = ""
    pattern: str = ""
    shape: str = ""

    def read(self, text: str) -> str:
        """Return the text itself."""
        _no_control(text, allowed="\t")
        if self.pattern and not re.fullmatch(self.pattern, text):
            raise ValueProblem(f"{shown(text)} is not of the form {self.shape}", f"write it as {self.shape}")
        return text

    def describe(self) -> str:
        """Return the shape where there is one."""
        return self.shape or self.title


@dataclass(frozen=True)
class SecretText(Type):
    """A password or key: any text, taken as it stands, shown nowhere."""

    title: ClassVar[str] = "secret"
    blank: ClassVar[Any] = Secret("")

    def parse(self, text: str) -> Secret:
        """Return the secret; only characters that no password field accepts are refused."""
        return Secret(_no_control(text, allowed="\n\t"))

    def format(self, value: Any) -> str:
        """Return the secret in clear, for the answer file itself."""
        revealed: str = value.reveal()
        return revealed


@dataclass(frozen=True)
class Sections(SecretText):
    """Sections of options as in cinder.conf, passwords among them; see ``installer.sections``."""

    title: ClassVar[str] = "sections as in cinder.conf, on lines of their own that are indented"

    def parse(self, text: str) -> Secret:
        """Return the text, which has the form of sections with options."""
        try:
            sections.read(text)
        except sections.SectionProblem as problem:
            raise ValueProblem(problem.message, problem.remedy) from None
        return super().parse(text)


@dataclass(frozen=True)
class YesNo(Type):
    """y or n."""

    title: ClassVar[str] = "y or n"

    def read(self, text: str) -> bool:
        """Return True for y, yes, true and False for n, no, false, in capitals or not."""
        if text.lower() in YES:
            return True
        if text.lower() in NO:
            return False
        raise ValueProblem(f"{shown(text)} is neither y nor n", "write y or n")

    def format(self, value: Any) -> str:
        """Return y or n."""
        return "" if value is None else "y" if value else "n"


@dataclass(frozen=True)
class Integer(Type):
    """A whole number from ``minimum`` to ``maximum``."""

    title: ClassVar[str] = "whole number"
    minimum: int | None = None
    maximum: int | None = None

    def read(self, text: str) -> int:
        """Return the number."""
        if not re.fullmatch(r"[+-]?[0-9]{1,18}", text):
            raise ValueProblem(f"{shown(text)} is not a {self.title}", f"write a {self.describe()}")
        number = int(text)
        low = self.minimum is not None and number < self.minimum
        high = self.maximum is not None and number > self.maximum
        if low or high:
            raise ValueProblem(f"{number} is out of range", f"write a {self.describe()}")
        return number

    def describe(self) -> str:
        """Return the type with its range."""
        if self.minimum is not None and self.maximum is not None:
            return f"{self.title} from {self.minimum} to {self.maximum}"
        return self.title if self.minimum is None else f"{self.title}, at least {self.minimum}"


@dataclass(frozen=True)
class Port(Integer):
    """A TCP or UDP port."""

    title: ClassVar[str] = "port"
    minimum: int | None = 1
    maximum: int | None = 65535


@dataclass(frozen=True)
class Number(Type):
    """A number with or without a fraction."""

    title: ClassVar[str] = "number"

    def read(self, text: str) -> float:
        """Return the number, which is finite."""
        try:
            number = float(text)
        except ValueError:
            number = math.nan
        if not math.isfinite(number):
            raise ValueProblem(f"{shown(text)} is not a number", "write a number such as 1.5")
        return number


@dataclass(frozen=True)
class Size(Type):
    """An amount of storage, in bytes once read; units are powers of 1024."""

    title: ClassVar[str] = "size such as 20G"
    UNITS: ClassVar[str] = "KMGT"

    def read(self, text: str) -> int:
        """Return the number of bytes."""
        match = re.fullmatch(r"([0-9]{1,12})\s*([KMGT])(i?B)?", text, re.IGNORECASE)
        if not match or int(match[1]) == 0:
            raise ValueProblem(f"{shown(text)} is not a size", "write a number and a unit: 500M, 20G or 1T")
        return int(match[1]) << 10 * (self.UNITS.index(match[2].upper()) + 1)

    def format(self, value: Any) -> str:
        """Return the size with the largest unit that divides it."""
        if value is None:
            return ""
        power = max(p for p in range(1, 5) if p == 1 or value % 1024**p == 0)
        return f"{value // 1024**power}{self.UNITS[power - 1]}"


@dataclass(frozen=True)
class Path(Type):
    """A file or folder: absolute, or below a home folder."""

    title: ClassVar[str] = "path"

    def read(self, text: str) -> PurePosixPath:
        """Return the path, with a leading ``~`` left as it is."""
        if not _no_control(text).startswith(("/", "~")):
            raise ValueProblem(f"{shown(text)} is not an absolute path", "begin it with / or ~/")
        return PurePosixPath(text)


@dataclass(frozen=True)
class Url(Type):
    """An http or https address."""

    title: ClassVar[str] = "URL"

    def read(self, text: str) -> str:
        """Return the URL as written."""
        _no_control(text)
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
    if re.search(r"\s", text):
        return "separate hosts with commas"
    return "write one name such as node1.example.org, or one address such as 192.0.2.10 or 2001:db8::10"


@dataclass(frozen=True)
class Choice(Type):
    """One of a few words, in capitals or not; or another that fits ``pattern``, where there is one.

    Args:
        choices: the words.
        pattern: regular expression for all of another word.
        shape: what such a word is, for people.
    """

    title: ClassVar[str] = "choice"
    choices: tuple[str, ...] = ()
    pattern: str = ""
    shape: str = ""

    def read(self, text: str) -> str:
        """Return the word as the catalogue spells it."""
        for choice in self.choices:
            if choice.lower() == text.lower():
                return choice
        if self.pattern and re.fullmatch(self.pattern, text):
            return text
        known = " or ".join(self.choices) if len(self.choices) < 3 else "one of " + ", ".join(self.choices)
        known += f" {self.shape}" if self.shape else ""
        raise ValueProblem(f"{shown(text)} is not a choice here", f"write {known}")

    def describe(self) -> str:
        """Return the words."""
        return ", ".join(self.choices) + (f" {self.shape}" if self.shape else "")


@dataclass(frozen=True)
class List(Type):
    """Several values of one type, separated by commas; a comma at the end is no further value."""

    title: ClassVar[str] = "list"
    blank: ClassVar[Any] = ()
    item: Type = Text()

    def read(self, text: str) -> tuple[Any, ...]:
        """Return the values in the order of the text."""
        pieces = [piece.strip() for piece in re.split(r"[,\n]", text)]
        return tuple(self.item.read(piece) for piece in pieces if piece)

    def format(self, value: Any) -> str:
        """Return the values with commas between."""
        items: Iterable[Any] = value or ()
        return ",".join(self.item.format(item) for item in items)

    def describe(self) -> str:
        """Return what each value is."""
        return f"{self.item.describe()}; several with commas between"


NAMED: dict[str, type[Type]] = {
    "text": Text,
    "secret": SecretText,
    "sections": Sections,
    "yes-no": YesNo,
    "integer": Integer,
    "port": Port,
    "number": Number,
    "size": Size,
    "path": Path,
    "url": Url,
    "address": Address,
    "network": Network,
    "host": Host,
    "host-key": HostKey,
    "choice": Choice,
}
PLURALS = {
    "hosts": "host",
    "addresses": "address",
    "networks": "network",
    "urls": "url",
    "host-keys": "host-key",
    "list": "text",
}


def make(name: str, **details: Any) -> Type:
    """Return the type of a catalogue entry.

    Args:
        name: a key of NAMED, or one of PLURALS for a list; ``list`` with ``choices`` is a list of those words.
        details: what the type's constructor takes: choices, minimum, maximum, pattern, shape.
    """
    if "choices" in details:
        details["choices"] = tuple(str(choice) for choice in details["choices"])
    if name in PLURALS:
        single = "choice" if "choices" in details else PLURALS[name]
        return List(item=NAMED[single](**details))
    return NAMED[name](**details)
