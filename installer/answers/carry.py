"""Carries an answer file of Packstack's, of any release, over to pystack: what can be kept, and what cannot and why."""

from __future__ import annotations

import dataclasses
from dataclasses import dataclass
from typing import Any

from installer import sections
from installer.answers.catalogue import Catalogue, Parameter, Status, catalogue
from installer.answers.checks import NO_OTHER_NETWORK
from installer.answers.model import is_used
from installer.answers.network_types import Host
from installer.answers.parse import Entry, parse_text
from installer.answers.problem import Problem, Severity, in_file_order, mask_entry
from installer.answers.remedies import remedy_of
from installer.answers.shown import ValueProblem, shown
from installer.answers.types import List
from installer.answers.validate import is_no_secret, says_nothing
from installer.answers.volume_checks import BACKENDS, MONITORS, OPTIONS, kinds


@dataclass(frozen=True)
class Carried:
    """What an old answer file becomes.

    Args:
        values: parameter name to text, for ``generate``; what equals the default is left out.
        lost: what could not be carried, each with its line and the reason, in the order of the file.
    """

    values: dict[str, str]
    lost: tuple[Problem, ...]


def carry(text: str, name: str) -> Carried:
    """Return what an old answer file says in the words of today; never raises.

    Args:
        text: the whole file, of pystack or of any release of Packstack.
        name: what the list of losses calls the file.
    """
    return _Carrier(catalogue(), name).carry(text)


class _Lost(Exception):
    def __init__(self, reason: str, severity: Severity = Severity.WARNING, remedy: str = "") -> None:
        super().__init__(reason)
        self.reason = reason
        self.severity = severity
        self.remedy = remedy


class _Carrier:
    def __init__(self, known: Catalogue, name: str) -> None:
        self.known = known
        self.name = name
        self.values: dict[str, str] = {}
        self.origin: dict[str, Entry] = {}
        self.lost: list[Problem] = []

    def carry(self, text: str) -> Carried:
        parsed = parse_text(text, self.name)
        self.lost += [dataclasses.replace(problem, severity=Severity.WARNING) for problem in parsed.problems]
        # As where a file is read, today's names win over aliases, and aliases over retired names, whether or not their
        # value can be kept; those that say nothing come last.
        for entry in sorted(parsed.entries, key=self._rank):
            try:
                self._take(entry)
            except _Lost as lost:
                self._report(entry, lost)
        self._keep_networks()
        self._keep_backends()
        if "CONFIG_CONTROLLER_HOST" not in self.values:
            message = "the file names no controller that can be used; the new file says localhost"
            remedy = "set CONFIG_CONTROLLER_HOST in the new file, or give --hosts"
            self.lost.append(Problem(Severity.WARNING, message, remedy, self.name, key="CONFIG_CONTROLLER_HOST"))
        return Carried(self.values, tuple(in_file_order(self.lost)))

    def _keep_networks(self) -> None:
        without = self.values.get("CONFIG_NEUTRON_INSTALL") == "n"
        if without and self.values.get("CONFIG_NOVA_INSTALL") != "n":
            del self.values["CONFIG_NEUTRON_INSTALL"]
            self._report(self.origin["CONFIG_NEUTRON_INSTALL"], _Lost(NO_OTHER_NETWORK))

    def _keep_backends(self) -> None:
        """Give up backends of which the old file does not say enough; the rest is what new ones are made of."""
        names = self.values.get(BACKENDS, "").split(",")
        described = sections.read(self.values.get(OPTIONS, ""))
        kept = [name for name in names if name in described or (name in kinds(self.known) and not self._lacking(name))]
        for name in names:
            if name and name not in kept:
                missing = self._lacking(name) or f"a section [{name}] in {OPTIONS}"
                self._report(self.origin[BACKENDS], _Lost(f"{name} needs {missing}, which the file does not have"))
        if BACKENDS in self.values and kept != names:
            self.values[BACKENDS] = ",".join(kept)
            if not kept:
                del self.values[BACKENDS]

    def _lacking(self, backend: str) -> str:
        """Return the first parameter without which a backend is none and that the file does not have, or nothing."""
        needed = [
            parameter.name
            for parameter in self.known
            if parameter.required
            and backend in parameter.when.get(BACKENDS, ())
            and is_used(parameter.name, self.known, self._as_given())
        ]
        needed += [MONITORS] if backend == "ceph" else []
        return next((name for name in needed if not self.values.get(name)), "")

    def _as_given(self) -> dict[str, Any]:
        return {
            parameter.name: parameter.type.parse(self.values.get(parameter.name, parameter.default))
            for parameter in self.known
        }

    def _rank(self, entry: Entry) -> tuple[bool, int]:
        name = self.known.resolve(entry.key)
        return (
            name in self.known and says_nothing(self.known[name], entry.value),
            0 if entry.key in self.known else 1 if entry.key in self.known.aliases else 2,
        )

    def _take(self, entry: Entry) -> None:
        name = self._target(entry)
        parameter = self.known[name]
        if says_nothing(parameter, entry.value) and name in self.origin:
            return
        decides = self.origin.setdefault(name, entry) is entry
        text = self._value(parameter, entry.value)
        if not decides and text != self.values.get(name, parameter.default):
            raise _Lost(self._why_another(name), remedy="remove one of the two lines")
        if decides and (text != parameter.default or parameter.keeps_empty) and (text or parameter.keeps_empty):
            self.values[name] = text

    def _why_another(self, name: str) -> str:
        origin = self.origin[name]
        line = origin.line.number
        if any(problem.line == line for problem in self.lost):
            return f"{shown(origin.key)[1:-1]} on line {line} counts, and is not carried over either"
        return f"{name} is taken from line {line}" + ("" if origin.key == name else f", {origin.key}")

    def _target(self, entry: Entry) -> str:
        name = self.known.resolve(entry.key)
        if name in self.known:
            return name
        if name not in self.known.retired:
            near = " or ".join(self.known.nearest(name))
            raise _Lost("it is not a parameter" + (f"; did you mean {near}?" if near else ""))
        retired = self.known.retired[name]
        if retired.now and entry.value:
            return retired.now
        asked = entry.value.lower() in ("y", "yes", "true")
        raise _Lost(retired.sentence, Severity.WARNING if asked else Severity.NOTICE)

    def _value(self, parameter: Parameter, text: str) -> str:
        if parameter.is_secret:
            return self._secret(parameter, text)
        spelling = parameter.canonical(text)
        if spelling in parameter.refuses:
            raise _Lost(parameter.refuses[spelling])
        text = parameter.takes.get(spelling, text)
        if parameter.status is Status.REFUSED:
            if parameter.asks_for_nothing(text):
                return ""
            raise _Lost(parameter.note)
        try:
            return self._written(parameter, text)
        except ValueProblem as problem:
            raise _unread(problem, parameter, text) from problem

    def _secret(self, parameter: Parameter, text: str) -> str:
        if is_no_secret(text):
            if parameter.random and parameter.is_supported and text:
                raise _Lost("this is no secret, so a new one is made up", Severity.NOTICE)
            return ""
        if parameter.status is Status.REFUSED:
            raise _Lost(parameter.note)
        try:
            return parameter.type.format(parameter.type.parse(text))
        except ValueProblem as problem:
            raise _unread(problem, parameter, text) from problem

    def _written(self, parameter: Parameter, text: str) -> str:
        value = parameter.type.parse(text)
        if isinstance(parameter.type, List) and isinstance(parameter.type.item, Host):
            value = tuple(dict.fromkeys(value))
        return parameter.type.format(value)

    def _report(self, entry: Entry, lost: _Lost) -> None:
        text, mark = mask_entry(entry.line.text, entry.column, self._is_secret(entry))
        message = f"{shown(entry.key)[1:-1]} is not carried over: {lost.reason}"
        number = entry.line.number
        self.lost.append(Problem(lost.severity, message, lost.remedy, self.name, number, text, mark, entry.key))

    def _is_secret(self, entry: Entry) -> bool:
        return self.known.hides(entry.key) and not is_no_secret(entry.value)


def _unread(problem: ValueProblem, parameter: Parameter, text: str) -> _Lost:
    if parameter.random:
        holds = "a new one is made up"
    elif parameter.default_from:
        holds = f"that of {parameter.default_from} holds"
    else:
        holds = f"the default holds, {parameter.default or 'which is empty'}"
    # A controller must be given; what the new file says without one is told by itself.
    instead = "" if parameter.required else f"; without it, {holds}"
    return _Lost(f"{problem.message}{instead}", remedy=remedy_of(problem, text, parameter.type))
