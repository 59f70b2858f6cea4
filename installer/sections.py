"""Sections of options, written as cinder.conf has them, inside of one value of the answer file."""

from __future__ import annotations

import re
from collections.abc import Mapping

from installer.resources.secret import Secret

#: Option names whose values nobody may see: a superset of what Cinder's drivers declare as secret, which a test
#: compares (2026.1 and 2026.2).
HIDDEN = re.compile(r"pass|secret|token|key|private|credential|certificate|jwt|^replication_device$", re.IGNORECASE)
#: Of these names no value is anything else than a password.
WORDS = re.compile(r"password|passwd|secret", re.IGNORECASE)
#: Values that give nothing away whatever the option is called; masked, every such word in the output would be.
PLAIN = re.compile(r"true|false|yes|no|on|off|none|[0-9.]+", re.IGNORECASE)

Options = tuple[tuple[str, str], ...]

_HEADER = re.compile(r"\[([A-Za-z0-9_][A-Za-z0-9_.-]*)\]")
_OPTION = re.compile(r"([A-Za-z][A-Za-z0-9_]*)\s*[=:]\s*(.*)")


class SectionProblem(ValueError):
    """A text that is not made of sections with options.

    Args:
        message: what is wrong; it never shows a value.
        remedy: what would be right.
    """

    def __init__(self, message: str, remedy: str) -> None:
        super().__init__(message)
        self.message = message
        self.remedy = remedy


def read(text: str) -> dict[str, Options]:
    """Return the options of each section by its name, in order; an option may be there several times.

    A value is what stands behind ``=``, blanks around it removed: quotation marks, ``%`` and ``$`` are part of it.

    Args:
        text: the lines; blank ones and comments (``#``, ``;``) are not read.

    Raises:
        SectionProblem: a line is something else, or a section is there twice.
    """
    found: dict[str, list[tuple[str, str]]] = {}
    current: list[tuple[str, str]] | None = None
    for number, line in enumerate(map(str.strip, text.strip().split("\n")), 1):
        header, option = _HEADER.fullmatch(line), _OPTION.fullmatch(line)
        if not line or line.startswith(("#", ";")):
            continue
        if header:
            if header[1] in found:
                raise SectionProblem(f"section [{header[1]}] is there twice", "put its options under one of them")
            current = found.setdefault(header[1], [])
        elif option and current is None:
            raise SectionProblem(
                f"its line {number} belongs to no section", "put a line [NAME] of the backend before it"
            )
        elif option and current is not None:
            current.append((option[1], option[2]))
        else:
            raise SectionProblem(
                f"its line {number} is neither [NAME] nor option=value", "write it as in cinder.conf, one option a line"
            )
    return {name: tuple(options) for name, options in found.items()}


def value_of(option: str, text: str) -> Secret | str:
    """Return the value of an option, as a secret if the option's name says that it is one."""
    hidden = bool(text and HIDDEN.search(option)) and (bool(WORDS.search(option)) or not PLAIN.fullmatch(text))
    return Secret(text) if hidden else text


def secrets_in(sections: Mapping[str, Options]) -> list[str]:
    """Return the texts of all values that nobody may see."""
    values = [value_of(*option) for options in sections.values() for option in options]
    return [value.reveal() for value in values if isinstance(value, Secret)]
