"""The answers: a value for every parameter, and where it came from."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from installer.answers.catalogue import GIVEN, Catalogue, Parameter
from installer.answers.parse import assignment
from installer.answers.problem import Problem
from installer.resources.secret import MASK

COMMAND_LINE = "--set"


@dataclass(frozen=True)
class Source:
    """Where a value was given.

    Args:
        file: the answer file, ``--set``, or empty for the default.
        line: line number from 1; 0 without a line.
    """

    file: str = ""
    line: int = 0

    def __str__(self) -> str:
        return f"{self.file}:{self.line}" if self.line else self.file or "default"


@dataclass(frozen=True, eq=False)
class Answers(Mapping[str, Any]):
    """The value of every parameter of the catalogue, typed, by the parameter's name.

    Values by type: yes-no is bool; integer and port int; number float; size int (bytes); host, choice, text and url
    str; address and network objects of ``ipaddress``; path ``PurePosixPath``; secret ``Secret``; lists are tuples.
    A parameter that is left empty has None, or "", (), ``Secret("")`` for texts, lists and secrets.

    Args:
        values_by_name: parameter name to value, in the order of the catalogue.
        sources: parameter name to where it was given; defaults are absent.
        notices: warnings and notices, in the order of the file.
        catalogue: where the parameters are declared.
    """

    values_by_name: Mapping[str, Any]
    sources: Mapping[str, Source]
    notices: tuple[Problem, ...]
    catalogue: Catalogue

    def __getitem__(self, name: str) -> Any:
        return self.values_by_name[name]

    def __iter__(self) -> Iterator[str]:
        return iter(self.values_by_name)

    def __len__(self) -> int:
        return len(self.values_by_name)

    def source(self, name: str) -> Source:
        """Return where a parameter's value was given; raises KeyError for a name that is no parameter."""
        self.values_by_name[name]
        return self.sources.get(name, Source())

    def is_used(self, name: str) -> bool:
        """Tell whether other parameters leave this one any effect, such as a certificate file when none is wanted."""
        return is_used(name, self.catalogue, self.values_by_name)

    def as_text(self) -> str:
        """Return an answer file that says the same, secrets masked.

        It has every supported parameter, and of the others those whose value is not the default.
        """
        lines = []
        for parameter in self.catalogue:
            value = self[parameter.name]
            if parameter.is_supported or not (parameter.is_secret or value == self._default(parameter)):
                text = str(value) if parameter.is_secret and value else parameter.type.format(value)
                lines.append(assignment(parameter.name, text))
        return "\n".join(["[general]", *lines, ""])

    def _default(self, parameter: Parameter) -> Any:
        other = parameter.default_from
        text = self.catalogue[other].type.format(self[other]) if other else parameter.default
        return parameter.type.parse(text)

    def digest(self) -> str:
        """Return a SHA-256 over all values but secrets: the same for files that ask for the same cloud."""
        return hashlib.sha256(self.as_text().encode()).hexdigest()

    def __repr__(self) -> str:
        return f"<Answers: {len(self.sources)} of {len(self)} given, secrets {MASK}>"


def is_used(name: str, catalogue: Catalogue, values: Mapping[str, Any]) -> bool:
    """Tell whether a parameter's conditions hold, and those of the parameters it depends on."""
    return all(
        _holds(values[other], texts, catalogue[other].type.format(values[other])) and is_used(other, catalogue, values)
        for other, texts in catalogue[name].when.items()
    )


def _holds(value: Any, texts: tuple[str, ...], formatted: str) -> bool:
    if texts == (GIVEN,):
        return bool(value)
    given = value if isinstance(value, tuple) else (formatted,)
    return any(item in texts for item in given)
