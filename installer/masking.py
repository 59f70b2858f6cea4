"""Keeps known secrets out of what is written down, whatever brought them there."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from typing import Any
from urllib.parse import quote

from installer import sections
from installer.resources.secret import MASK, Secret, hidden_in

#: Shorter secrets are parts of ordinary words; to mask those would make any text unreadable.
SHORTEST = 4
#: What structures data names people chose in public; a password may well be such a word, and nobody learns it there.
STRUCTURE = frozenset({"event", "step", "what", "host", "role", "resource"})
_WORD = re.compile(r"[a-z_]+")


class Masking:
    """Replaces secrets by the mask.

    Args:
        secrets: the texts themselves; a secret of several lines is also looked for line by line.
    """

    def __init__(self, secrets: Iterable[str] = ()) -> None:
        forms = {form for secret in secrets for form in _forms(secret)}
        # The longest first: a secret may be part of another.
        self._forms = sorted((form for form in forms if len(form) >= SHORTEST), key=len, reverse=True)

    def text(self, text: str) -> str:
        """Return the text with every secret masked."""
        for form in self._forms:
            if form in text:
                text = text.replace(form, MASK)
        return text

    def data(self, value: Any) -> Any:
        """Return JSON-able data with every secret masked, in keys and values; names of ours and ``STRUCTURE`` stay."""
        if isinstance(value, str):
            return self.text(value)
        if isinstance(value, Secret):
            return MASK
        if isinstance(value, Mapping):
            return {
                self._key(str(key)): item if key in STRUCTURE and isinstance(item, str) else self.data(item)
                for key, item in value.items()
            }
        if isinstance(value, (list, tuple, set, frozenset)):
            return [self.data(item) for item in value]
        if value is None or isinstance(value, (bool, int, float)):
            return value
        return self.text(str(value))

    def _key(self, key: str) -> str:
        # Plain words are names of ours: masked, nobody could read the data any more.
        return key if _WORD.fullmatch(key) else self.text(key)


def secrets_in(values: Mapping[str, Any]) -> list[str]:
    """Return the text of every secret among the values of an answer file, inside of addresses and options too."""
    known = [value.reveal() for value in values.values() if isinstance(value, Secret) and value]
    inside = [text for value in known for text in _of_options(value)]
    texts = [
        str(text) for value in values.values() for text in (value if isinstance(value, (list, tuple)) else [value])
    ]
    return [*known, *inside, *(password for text in texts for password in hidden_in(text))]


def _of_options(secret: str) -> list[str]:
    try:
        return sections.secrets_in(sections.read(secret))
    except sections.SectionProblem:
        return []


def _forms(secret: str) -> set[str]:
    lines = [line.strip() for line in secret.splitlines()]
    # Lines such as "-----BEGIN PRIVATE KEY-----" are in every key and give nothing away.
    parts = {line for line in lines if len(line) >= 16 and not line.startswith("-----")} if len(lines) > 1 else set()
    return {secret, quote(secret, safe=""), *parts}
