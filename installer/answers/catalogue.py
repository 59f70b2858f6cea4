"""The catalogue: every parameter an answer file may hold, declared once in ``answers/*.yaml``."""

from __future__ import annotations

import difflib
import functools
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from enum import Enum
from pathlib import Path
from typing import Any

from installer.answers import plain_types, types
from installer.answers.problem import SECRET_NAME
from installer.answers.shown import ValueProblem
from installer.errors import InternalError
from installer.paths import ANSWERS, read_yaml

RETIRED_FILE = "retired.yaml"
#: Packstack wrote this where a secret was still to be chosen.
PLACEHOLDER = "PW_PLACEHOLDER"
#: In a condition, this stands for any value but an empty one.
GIVEN = "given"
LONGEST_NAME = 80


class Status(Enum):
    """What pystack does with a parameter.

    Members:
        SUPPORTED: it does what its text says.
        LATER: it is accepted, and ``note`` says what is not done yet.
        REFUSED: asking for it is an error, and ``note`` says why.
    """

    SUPPORTED = "supported"
    LATER = "later"
    REFUSED = "refused"


@dataclass(frozen=True)
class Parameter:
    """One parameter, as declared.

    Args:
        name: such as ``CONFIG_DEBUG_MODE``.
        type: reads, checks and writes its values.
        doc: what an operator needs to know.
        section: title of the group it is written in.
        default: text of the value it has when the answer file says nothing.
        default_from: parameter whose value it takes instead of ``default``.
        random: whether ``generate`` makes up a secret for it.
        required: whether it must have a value.
        keeps_empty: whether an empty value means empty, not default.
        when: parameter name to the texts with which this one is used at all; all must hold.
        aliases: names it had in earlier releases of Packstack.
        status: what pystack does with it.
        note: what is not done yet, or why it is refused.
        harmless: texts that ask for nothing, and so are accepted silently whatever the status.
        refuses: text (lower case) to the reason why that one value cannot be had.
        takes: text (lower case) to what is read in its place, silently.
        remarks: text (lower case) to what the operator should know about that value.
    """

    name: str
    type: plain_types.Type
    doc: str
    section: str
    default: str = ""
    default_from: str = ""
    random: bool = False
    required: bool = False
    keeps_empty: bool = False
    when: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    aliases: tuple[str, ...] = ()
    status: Status = Status.SUPPORTED
    note: str = ""
    harmless: tuple[str, ...] = ()
    refuses: Mapping[str, str] = field(default_factory=dict)
    takes: Mapping[str, str] = field(default_factory=dict)
    remarks: Mapping[str, str] = field(default_factory=dict)

    @property
    def is_secret(self) -> bool:
        """Whether its values must not be seen."""
        return isinstance(self.type, plain_types.SecretText)

    @property
    def is_supported(self) -> bool:
        """Whether pystack does what it says."""
        return self.status is Status.SUPPORTED

    def conditions(self) -> list[str]:
        """Return what must hold for it to be used, in words."""
        return [
            f"{name} given" if texts == (GIVEN,) else f"{name}={' or '.join(texts)}"
            for name, texts in self.when.items()
        ]

    def canonical(self, text: str) -> str:
        """Return a text as the catalogue would spell the same value, in lower case; y for Yes, for example."""
        if self.is_secret:
            return ""
        try:
            return self.type.format(self.type.parse(text)).lower()
        except ValueProblem:
            return text.strip().lower()

    def asks_for_nothing(self, text: str) -> bool:
        """Tell whether a value may pass without a word although the parameter is not supported."""
        # The default of a service is y, and to write that down is to ask for the service.
        default = "" if isinstance(self.type, plain_types.YesNo) else self.canonical(self.default)
        return self.canonical(text) in {"", "n", default, *map(str.lower, self.harmless)}


@dataclass(frozen=True)
class Retired:
    """A parameter of an earlier Packstack that is none any more.

    Args:
        name: its name.
        sentence: what took its place.
        now: the parameter that its value belongs to today, for ``generate --from``; may be empty.
    """

    name: str
    sentence: str
    now: str = ""


class Catalogue:
    """All parameters, in the order in which they are documented.

    Args:
        parameters: the parameters.
        retired: the retired ones.
    """

    def __init__(self, parameters: Mapping[str, Parameter], retired: Mapping[str, Retired]) -> None:
        self._parameters = dict(parameters)
        self.retired = dict(retired)
        self.aliases = {alias: name for name, known in parameters.items() for alias in known.aliases}

    def __getitem__(self, name: str) -> Parameter:
        return self._parameters[name]

    def __contains__(self, name: object) -> bool:
        return name in self._parameters

    def __iter__(self) -> Iterator[Parameter]:
        return iter(self._parameters.values())

    def __len__(self) -> int:
        return len(self._parameters)

    def knows(self, key: str) -> bool:
        """Tell whether a key, in capitals, is a parameter's name or one of its old names."""
        return key in self._parameters or key in self.aliases

    def resolve(self, name: str) -> str:
        """Return today's name of a parameter given by any of its names, in capitals or not."""
        return self.aliases.get(name.upper(), name.upper())

    def hides(self, key: str) -> bool:
        """Tell whether the value of a key must not be seen; a key that is not known is judged by its name."""
        name = self.resolve(key)
        return self._parameters[name].is_secret if name in self else bool(SECRET_NAME.search(key))

    def sections(self) -> dict[str, list[Parameter]]:
        """Return the parameters by section title, in order."""
        found: dict[str, list[Parameter]] = {}
        for parameter in self:
            found.setdefault(parameter.section, []).append(parameter)
        return found

    def nearest(self, name: str) -> list[str]:
        """Return the known names that look most like the one given, at most three, best first."""
        wanted = name.upper()[:LONGEST_NAME]
        names = [*self._parameters, *self.aliases]
        if not wanted.startswith("CONFIG_") and f"CONFIG_{wanted}" in names:
            return [f"CONFIG_{wanted}"]
        found = difflib.get_close_matches(wanted, names, n=3, cutoff=0.75)
        likeness = {name: difflib.SequenceMatcher(None, name, wanted).ratio() for name in found}
        best = [name for name in found if likeness[name] > likeness[found[0]] - 0.05]
        return list(dict.fromkeys(self.resolve(name) for name in best))


@functools.cache
def catalogue() -> Catalogue:
    """Return the catalogue that comes with pystack; raises InternalError when a file of it is wrong."""
    return load_catalogue(ANSWERS)


def load_catalogue(folder: Path) -> Catalogue:
    """Return the catalogue in a folder.

    Args:
        folder: with one YAML file per topic and ``retired.yaml``; docs/answer-file.md says how they are written.

    Raises:
        InternalError: a file does not declare parameters as it must.
    """
    topics = [(path, _read(path)) for path in folder.glob("*.yaml") if path.name != RETIRED_FILE]
    parameters: dict[str, Parameter] = {}
    for path, topic in sorted(topics, key=lambda pair: (pair[1]["position"], pair[0].name)):
        for section in topic["sections"]:
            for name, declared in section["parameters"].items():
                if name in parameters:
                    raise InternalError(f"{path}: {name} is declared twice")
                try:
                    parameters[name] = _parameter(name, declared, section, topic)
                except (KeyError, TypeError, ValueError) as error:
                    raise InternalError(f"{path}: {name}: {error!r}") from error
    for parameter in parameters.values():
        unknown = [name for name in (*parameter.when, parameter.default_from) if name and name not in parameters]
        if unknown:
            raise InternalError(f"{parameter.name} depends on {unknown[0]}, which is not declared")
    return Catalogue(parameters, _retired(folder / RETIRED_FILE))


def _read(path: Path) -> Any:
    return read_yaml(path)


def _parameter(name: str, declared: dict[str, Any], section: dict[str, Any], topic: dict[str, Any]) -> Parameter:
    details = {key: declared[key] for key in ("choices", "minimum", "maximum", "pattern", "shape") if key in declared}
    kind = types.make(declared["type"], **details)
    status = Status(declared.get("status", section.get("status", topic.get("status", "supported"))))
    default = str(declared.get("default", ""))
    rest = set(declared) - set(details) - _OWN
    if rest:
        raise ValueError(f"unknown: {sorted(rest)}")
    parameter = Parameter(
        name=name,
        type=kind,
        doc=" ".join(declared["doc"].split()),
        section=section["title"],
        default="" if default == "random" else default,
        default_from=declared.get("default_from", ""),
        random=default == "random",
        required=bool(declared.get("required")),
        keeps_empty=bool(declared.get("keeps_empty")),
        when=_when({**section.get("when", {}), **declared.get("when", {})}),
        aliases=tuple(declared.get("aliases", ())),
        status=status,
        note="" if status is Status.SUPPORTED else _note(declared, section, topic),
        harmless=_texts(declared.get("harmless", ())),
        refuses=_by_text(declared.get("refuses", {})),
        takes=_by_text(declared.get("takes", {})),
        remarks=_by_text(declared.get("remarks", {})),
    )
    kind.parse(parameter.default)
    return parameter


_OWN = {
    "type", "default", "default_from", "doc", "required", "keeps_empty", "when", "aliases", "status", "note",
    "harmless", "refuses", "takes", "remarks",
}  # fmt: skip


def _note(declared: dict[str, Any], section: dict[str, Any], topic: dict[str, Any]) -> str:
    note = declared.get("note") or section.get("note") or topic["note"]
    return " ".join(note.split())


def _texts(declared: Any) -> tuple[str, ...]:
    values = declared if isinstance(declared, (list, tuple)) else [declared]
    if any(isinstance(value, bool) for value in values):
        raise ValueError("quote words that YAML takes for true or false")
    return tuple(str(value) for value in values)


def _when(declared: dict[str, Any]) -> dict[str, tuple[str, ...]]:
    return {name: _texts(value) for name, value in declared.items()}


def _by_text(declared: dict[Any, str]) -> dict[str, str]:
    return {_texts(text)[0].lower(): " ".join(str(value).split()) for text, value in declared.items()}


def _retired(path: Path) -> dict[str, Retired]:
    found = {}
    for group in _read(path):
        for name in group["names"]:
            now = group.get("now", {}).get(name, "")
            sentence = " ".join(group["sentence"].split()).replace("{now}", now)
            found[name] = Retired(name, sentence, now)
    return found
