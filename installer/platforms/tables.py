"""The files of the platforms, each with what it takes over from another one and what its releases say differently."""

from __future__ import annotations

import functools
import string
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from installer.errors import InternalError
from installer.paths import read_yaml

FOLDER = Path(__file__).parent
SOURCES = FOLDER / "sources.yaml"
#: The key of a file, or of one of its releases, that says what was seen at work.
SEEN = "seen"
#: In ``from`` and ``seen``: whatever is not named.
ALL = "all"
#: The key in sources.yaml of facts that no document was found for.
UNSOURCED = "unsourced"
#: Where a fact was seen at work: on a host of the platform, on one that another distribution stands in for, nowhere.
REAL, STAND_IN, NO = "real", "stand-in", "no"

#: Value and source of each fact of each section.
_Told = Mapping[str, Mapping[str, tuple[Any, str]]]


@dataclass(frozen=True)
class Fact:
    """What a platform's file says of one thing.

    Args:
        value: as YAML has it.
        source: the key of the document in sources.yaml.
        seen: ``real``, ``stand-in`` or ``no``.
    """

    value: Any
    source: str
    seen: str


@dataclass(frozen=True)
class Table:
    """One platform's file, whole.

    Args:
        name: of the file.
        title: what an operator calls it, without the release where there are several.
        ids: as os-release(5) has them in ID; those after the first are relatives.
        package_manager: ``apt`` or ``dnf``.
        source: of what is said here.
        releases: facts by release, section and name; a release is VERSION_ID, or how that begins.
    """

    name: str
    title: str
    ids: tuple[str, ...]
    package_manager: str
    source: str
    releases: Mapping[str, Mapping[str, Mapping[str, Fact]]]


def names() -> tuple[str, ...]:
    """Return the platforms that have a file: by distribution, then by release."""
    found = [path.stem for path in FOLDER.glob("*.yaml") if path != SOURCES]
    return tuple(sorted(found, key=lambda name: (name.rstrip(string.digits), len(name), name)))


@functools.cache
def sources() -> Mapping[str, Mapping[str, Any]]:
    """Return the documents that facts are from, by key: ``document``, ``version``, ``date``."""
    found: Mapping[str, Mapping[str, Any]] = read_yaml(SOURCES)
    return found


@functools.cache
def table(name: str) -> Table:
    """Return what a platform's file says, together with what it takes over.

    Raises:
        InternalError: a section does not say where it is from.
    """
    own = _read(name)
    told = _told(name)
    return Table(
        name,
        own["title"],
        tuple(own["ids"]),
        own["package_manager"],
        own["from"],
        {
            release: _entries(
                _merged(told, _sections(name, {key: value for key, value in own_part.items() if key != SEEN})),
                own_part.get(SEEN, own[SEEN]),
            )
            for release, own_part in own["releases"].items()
        },
    )


def seen_of(seen: Any, section: str, fact: str) -> str:
    """Return where a fact was seen at work.

    Args:
        seen: a word for all facts, or words by section, by ``section.fact`` and for ``all`` others.
        section: of the fact.
        fact: its name.
    """
    if isinstance(seen, Mapping):
        keys = (f"{section}.{fact}", section, ALL)
        seen = next((seen[key] for key in keys if key in seen), NO)
    # YAML reads a bare `no` as false.
    return NO if seen is False else str(seen)


@functools.cache
def _read(name: str) -> Mapping[str, Any]:
    found: Mapping[str, Any] = read_yaml(FOLDER / f"{name}.yaml")
    return found


@functools.cache
def _told(name: str) -> _Told:
    own = _read(name)
    taken_over = _taken_over(_told(own["like"]), own) if "like" in own else {}
    return _merged(taken_over, _sections(name, own["roles"]))


def _taken_over(told: _Told, own: Mapping[str, Any]) -> _Told:
    """Return another file's facts, each from the document that this file knows it from, if it says that.

    What the other file knows from no document is not known from one here, unless it is named.
    """
    rest = own.get("taken_over", "")
    facts: dict[str, Mapping[str, tuple[Any, str]]] = {}
    for section, entries in told.items():
        said = own["roles"].get(section, {}).get("from", {})
        named: Mapping[str, str] = said if isinstance(said, Mapping) else {}
        facts[section] = {
            fact: (value, named.get(fact) or (rest if rest and source != UNSOURCED else source))
            for fact, (value, source) in entries.items()
        }
    return facts


def _sections(name: str, sections: Mapping[str, Mapping[str, Any]]) -> _Told:
    return {section: _facts(f"{name}.yaml, {section}", entries) for section, entries in sections.items()}


def _facts(where: str, entries: Mapping[str, Any]) -> Mapping[str, tuple[Any, str]]:
    told = entries.get("from", "")
    by_fact: Mapping[str, str] = told if isinstance(told, Mapping) else {ALL: told}
    rest = by_fact.get(ALL, "")
    facts = {fact: (value, by_fact.get(fact, rest)) for fact, value in entries.items() if fact != "from"}
    unsaid = [fact for fact, (_, source) in facts.items() if source not in sources()]
    if unsaid:
        raise InternalError(
            f"{where}: nothing says where {', '.join(unsaid)} is from",
            f"write a key of sources.yaml into `from`: {', '.join(sources())}",
        )
    return facts


def _merged(under: _Told, over: _Told) -> _Told:
    """Return facts with others on top; one that has no value there is taken away."""
    both = {section: {**under.get(section, {}), **over.get(section, {})} for section in {**under, **over}}
    return {
        section: {fact: entry for fact, entry in facts.items() if entry[0] is not None}
        for section, facts in both.items()
    }


def _entries(told: _Told, seen: Any) -> Mapping[str, Mapping[str, Fact]]:
    return {
        section: {fact: Fact(value, source, seen_of(seen, section, fact)) for fact, (value, source) in facts.items()}
        for section, facts in told.items()
    }
