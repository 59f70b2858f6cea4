"""Secrecy as a type: a secret shows itself only to those who ask for it by name."""

from __future__ import annotations

import re
from typing import Dict, List
from urllib.parse import unquote

MASK = "********"
_ADDRESS = re.compile(r"[a-z][a-z0-9+.-]*://(?P<authority>[^/\s]*)\S*", re.IGNORECASE)


class Secret:
    """A value that must not be seen: masked in ``str``, ``repr``, format strings, diffs and journals.

    Args:
        value: the text to protect.
    """

    __slots__ = ("_value",)

    def __init__(self, value: str) -> None:
        self._value = value

    def reveal(self) -> str:
        """Return the text itself, for the one place that needs it."""
        return self._value

    def __str__(self) -> str:
        return MASK

    __repr__ = __str__

    def __format__(self, spec: str) -> str:
        return format(MASK, spec)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Secret) and other._value == self._value

    def __hash__(self) -> int:
        return hash((Secret, self._value))

    def __bool__(self) -> bool:
        return bool(self._value)

    def __reduce__(self) -> tuple[object, ...]:
        raise TypeError("a secret is not pickled: reveal() it where it is needed")


def hidden_in(address: str) -> List[str]:
    """Return what nobody may see of an address: its passwords, or tokens in their place, as written and decoded.

    Args:
        address: such as ``https://user:password@mirror.example.org/simple``, or one with several hosts.
    """
    found: Dict[str, None] = {}
    for authority in (match.group("authority") for match in _ADDRESS.finditer(address)):
        for place in (authority, *authority.split(",")):
            user, _, password = place.rpartition("@")[0].partition(":")
            found.update(dict.fromkeys((password or user, unquote(password or user))))
    return [text for text in found if text]


def unseen(secret: Secret) -> List[str]:
    """Return the texts that stand for a secret in messages: of one that is an address, where it leads may be seen."""
    text = secret.reveal()
    return hidden_in(text) if _ADDRESS.fullmatch(text) else [text]
