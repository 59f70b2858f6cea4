"""The types of parameters by their names in the catalogue, and those that are made of others."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any, ClassVar

from installer.answers.json_types import AddressParts, JsonObjects
from installer.answers.network_types import Address, Host, HostKey, Network, Url, UrlOrPath
from installer.answers.plain_types import Integer, Number, Path, Port, SecretText, Sections, Size, Text, Type, YesNo
from installer.answers.shown import ValueProblem, shown


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
    item: Type = field(default_factory=Text)

    def read(self, text: str) -> tuple[Any, ...]:
        """Return the values in the order of the text."""
        pieces = [piece.strip() for piece in re.split(r"[,\n]", text)]
        return tuple(self._item(piece) for piece in pieces if piece)

    def _item(self, piece: str) -> Any:
        try:
            return self.item.read(piece)
        except ValueProblem as problem:
            several = [part for part in re.split(r"[;\s]+", piece) if part]
            if several == [piece] or not all(map(self._is_item, several)):
                raise
            what = "hosts" if isinstance(self.item, Host) else "values"
            raise ValueProblem(problem.message, f"separate {what} with commas") from None

    def _is_item(self, text: str) -> bool:
        try:
            self.item.read(text)
        except ValueProblem:
            return False
        return True

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
    "url-or-path": UrlOrPath,
    "address": Address,
    "network": Network,
    "host": Host,
    "host-key": HostKey,
    "choice": Choice,
    "json-objects": JsonObjects,
    "address-parts": AddressParts,
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
