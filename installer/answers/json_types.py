"""Types of parameters that are lists in JSON, as Packstack hands them on to OpenStack."""

from __future__ import annotations

import ipaddress
import json
import re
from dataclasses import dataclass
from typing import Any, ClassVar

from installer.answers.plain_types import Type, without_control
from installer.answers.shown import ValueProblem, shown


@dataclass(frozen=True)
class JsonObjects(Type):
    """A JSON list of objects."""

    title: ClassVar[str] = "JSON list of objects"
    blank: ClassVar[Any] = ()

    def read(self, text: str) -> tuple[dict[str, Any], ...]:
        """Return the objects."""
        items = _items(text)
        if items is None or not all(isinstance(item, dict) for item in items):
            remedy = 'write it as [{"vendor_id": "8086", "product_id": "154d", ...}, ...]'
            raise ValueProblem(f"{shown(text)} is not a {self.title}", remedy)
        return tuple(items)

    def format(self, value: Any) -> str:
        """Return the list on one line."""
        return json.dumps(list(value or ()), ensure_ascii=False)


@dataclass(frozen=True)
class AddressPart:
    """The addresses from ``first`` to ``last``."""

    first: ipaddress.IPv4Address | ipaddress.IPv6Address
    last: ipaddress.IPv4Address | ipaddress.IPv6Address

    def __str__(self) -> str:
        return f"start={self.first},end={self.last}"


@dataclass(frozen=True)
class AddressParts(Type):
    """Parts of a network, each by its first and last address."""

    title: ClassVar[str] = 'JSON list such as ["start=192.0.2.100,end=192.0.2.199"]'
    blank: ClassVar[Any] = ()
    REMEDY: ClassVar[str] = 'write it as ["start=192.0.2.100,end=192.0.2.199", ...]'

    def read(self, text: str) -> tuple[AddressPart, ...]:
        """Return the parts."""
        items = _items(text)
        parts = None if items is None else [_part(item) for item in items]
        if parts is None or None in parts:
            raise ValueProblem(f"{shown(text)} is not a JSON list of parts of a network", self.REMEDY)
        found = tuple(part for part in parts if part)
        for part in found:
            if part.first.version != part.last.version or int(part.first) > int(part.last):
                raise ValueProblem(f"the part from {part.first} to {part.last} ends before it begins", self.REMEDY)
        return found

    def format(self, value: Any) -> str:
        """Return the list on one line."""
        return json.dumps([str(part) for part in value or ()])


def _part(item: Any) -> AddressPart | None:
    match = re.fullmatch(r"\s*start\s*=([^,]+),\s*end\s*=([^,]+)", item) if isinstance(item, str) else None
    try:
        return AddressPart(*(ipaddress.ip_address(end.strip()) for end in match.groups())) if match else None
    except ValueError:
        return None


def _items(text: str) -> list[Any] | None:
    """Return the items of a list in JSON, or None if the text is none."""
    without_control(text, allowed="\n\t")
    try:
        items = json.loads(text)
    except (ValueError, RecursionError):
        return None
    return items if isinstance(items, list) else None
