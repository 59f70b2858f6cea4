"""From entries to answers: every value read, every problem found, in one go."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from installer.answers.catalogue import PLACEHOLDER, Catalogue, Parameter, Status
from installer.answers.checks import cross_checks
from installer.answers.model import COMMAND_LINE, Answers, Source, is_used
from installer.answers.parse import Entry, Line, Parsed
from installer.answers.plain_types import YesNo
from installer.answers.problem import Problem, Severity, in_file_order, mask_entry
from installer.answers.remedies import remedy_of
from installer.answers.shown import ValueProblem, shown
from installer.resources.secret import Secret

#: Looking for similar names takes milliseconds each; a file with more unknown names than this is not an answer file.
MOST_SUGGESTIONS = 50


@dataclass(frozen=True)
class Given:
    """A value as given, by its file's line or on the command line."""

    entry: Entry
    file: str

    @property
    def source(self) -> Source:
        """Where it was given."""
        return Source(self.file, self.entry.line.number)


@dataclass(frozen=True)
class Outcome:
    """What became of an answer file: the problems in the order of the file, and the answers unless one is an error."""

    answers: Answers | None
    problems: tuple[Problem, ...]


def evaluate(parsed: Parsed, overrides: Mapping[str, str], catalogue: Catalogue) -> Outcome:
    """Return the answers of a parsed file.

    Args:
        parsed: what was read.
        overrides: parameter name to text, as given with ``--set``; they win over the file.
        catalogue: the known parameters.
    """
    evaluation = _Evaluation(parsed, catalogue)
    evaluation.sort_entries(overrides)
    evaluation.read_values()
    evaluation.look_for_secrets()
    evaluation.look_for_contradictions()
    ordered = tuple(in_file_order(evaluation.problems))
    if any(problem.is_error for problem in ordered):
        return Outcome(None, ordered)
    return Outcome(Answers(evaluation.values, evaluation.sources(), ordered, catalogue), ordered)


class _Evaluation:
    """The state of one evaluation: what was given, the values so far, the problems so far."""

    def __init__(self, parsed: Parsed, catalogue: Catalogue) -> None:
        self.parsed = parsed
        self.catalogue = catalogue
        self.problems = list(parsed.problems)
        self.given: dict[str, Given] = {}
        self.values: dict[str, Any] = {}
        self.defaulted: set[str] = set()
        self.unread: set[str] = set()
        self.suggested = 0

    def sources(self) -> dict[str, Source]:
        return {name: given.source for name, given in self.given.items() if name not in self.defaulted}

    def sort_entries(self, overrides: Mapping[str, str]) -> None:
        """Tell parameters from aliases, retired and unknown names, and let overrides win."""
        old: dict[str, list[Given]] = {}
        for entry in self.parsed.entries:
            self._place(Given(entry, self.parsed.name), old)
        for name, candidates in old.items():
            self._take_alias(name, candidates)
        old = {}
        for key, text in overrides.items():
            name = key.strip().upper()
            entry = Entry(name, text.strip(), Line(0, f"{name}={text}"), len(name) + 1)
            given = Given(entry, COMMAND_LINE)
            self.given.pop(self.catalogue.resolve(name), None)
            self._place(given, old)
        for name, candidates in old.items():
            self._take_alias(name, candidates)

    def _place(self, given: Given, old: dict[str, list[Given]]) -> None:
        key = given.entry.key
        if key in self.catalogue:
            self.given[key] = given
        elif key in self.catalogue.aliases:
            old.setdefault(self.catalogue.aliases[key], []).append(given)
        elif key in self.catalogue.retired:
            retired = self.catalogue.retired[key]
            asked = given.entry.value.lower() in ("y", "yes", "true") or retired.now
            severity = Severity.WARNING if asked and given.entry.value else Severity.NOTICE
            self._report(severity, given, f"{key} is no longer read: {retired.sentence}", "remove the line")
        else:
            self._report_unknown(given)

    def _report_unknown(self, given: Given) -> None:
        self.suggested += 1
        near = self.catalogue.nearest(given.entry.key) if self.suggested <= MOST_SUGGESTIONS else []
        remedy = f"did you mean {' or '.join(near)}?" if near else "remove the line, or see docs/answer-file.md"
        self._report(Severity.ERROR, given, f"{shown(given.entry.key)[1:-1]} is not a parameter", remedy)

    def _take_alias(self, name: str, candidates: list[Given]) -> None:
        filled = [given for given in candidates if given.entry.value]
        first = (filled or candidates)[0]
        names = ", ".join(given.entry.key for given in candidates)
        today = self.given.get(name)
        if (
            today
            and today.file == first.file
            and not (filled and says_nothing(self.catalogue[name], today.entry.value))
        ):
            self._report(Severity.NOTICE, first, f"{names}: not read, because {name} is given", "remove the old name")
            return
        different = next((given for given in filled if given.entry.value != first.entry.value), None)
        if different:
            self._report(
                Severity.ERROR,
                different,
                f"{different.entry.key} and {first.entry.key} (line {first.entry.line.number}) are old names of "
                f"{name}, and their values differ",
                f"put one line {name}=… in their place",
            )
        self.given[name] = first
        self._report(Severity.NOTICE, first, f"{names}: today's name is {name}", f"write {name}=…")

    def read_values(self) -> None:
        """Read the value of every parameter, then judge what could not be read by how much it matters."""
        wrong: dict[str, ValueProblem] = {}
        for parameter in self.catalogue:
            try:
                self.values[parameter.name] = self._value(parameter)
            except ValueProblem as problem:
                wrong[parameter.name] = problem
                self.values[parameter.name] = parameter.type.parse(parameter.default)
        self.unread = set(wrong)
        self._fill_derived()
        for parameter in self.catalogue:
            if parameter.name in self.given:
                self._judge(parameter, self.given[parameter.name], wrong.get(parameter.name))
            elif parameter.required and is_used(parameter.name, self.catalogue, self.values):
                self._report_missing(parameter)

    def _report_missing(self, parameter: Parameter) -> None:
        message = f"{parameter.name} is not set: {parameter.doc}"
        remedy = f"add a line {parameter.name}={parameter.type.describe()}"
        self.problems.append(Problem(Severity.ERROR, message, remedy, self.parsed.name, key=parameter.name))

    def _value(self, parameter: Parameter) -> Any:
        given = self.given.get(parameter.name)
        if not given:
            self.defaulted.add(parameter.name)
            return parameter.type.parse(parameter.default)
        text = given.entry.value
        spelling = parameter.canonical(text)
        for part in (spelling, *spelling.split(",")):
            if part in parameter.refuses:
                raise ValueProblem(parameter.refuses[part], f"write {parameter.default}")
        text = parameter.takes.get(spelling, text)
        if parameter.is_secret and is_no_secret(text):
            text = ""
        if text or parameter.keeps_empty:
            return parameter.type.parse(text)
        self.defaulted.add(parameter.name)
        return parameter.type.parse(parameter.default)

    def _fill_derived(self) -> None:
        for parameter in self.catalogue:
            if parameter.default_from and parameter.name in self.defaulted | self.unread:
                text = self.catalogue[parameter.default_from].type.format(self.values[parameter.default_from])
                self.values[parameter.name] = parameter.type.parse(text)

    def _judge(self, parameter: Parameter, given: Given, wrong: ValueProblem | None) -> None:
        text = given.entry.value
        spelling = parameter.canonical(text)
        is_read = parameter.is_supported and is_used(parameter.name, self.catalogue, self.values)
        matters = is_read or not parameter.when
        if wrong:
            severity = Severity.ERROR if matters else Severity.WARNING
            unused = "" if matters else " (not used, so it does no harm)"
            self._report(
                severity, given, f"{parameter.name}: {wrong.message}{unused}", remedy_of(wrong, text, parameter.type)
            )
        elif not text and parameter.required and matters:
            self._report(Severity.ERROR, given, f"{parameter.name} is empty", parameter.doc)
        elif not text and isinstance(parameter.type, YesNo) and parameter.is_supported:
            message = f"{parameter.name} is empty, which means its default, {parameter.default}"
            self._report(Severity.NOTICE, given, message, "write y or n")
        elif spelling in parameter.remarks:
            self._report(Severity.NOTICE, given, f"{parameter.name}: {parameter.remarks[spelling]}", "")
        elif not parameter.is_supported and self._is_asked_for(parameter) and not parameter.asks_for_nothing(text):
            self._report_status(parameter, given)
        elif parameter.is_secret and len(text) > 1 and text[0] == text[-1] and text[0] in "\"'":
            message = f"{parameter.name}: the quotation marks are part of the secret"
            self._report(Severity.NOTICE, given, message, "leave them out unless you want them in it")

    def _is_asked_for(self, parameter: Parameter) -> bool:
        """Tell whether a parameter has a say, and is not one of many of a service that is not supported itself."""
        whole = all(self.catalogue[name].is_supported for name in parameter.when)
        return whole and is_used(parameter.name, self.catalogue, self.values)

    def _report_status(self, parameter: Parameter, given: Given) -> None:
        if parameter.status is Status.REFUSED:
            remedy = f"write {parameter.name}={parameter.default}"
            self._report(Severity.ERROR, given, f"{parameter.name}: {parameter.note}", remedy)
        else:
            self._report(Severity.WARNING, given, f"{parameter.name} is accepted, but {parameter.note}", "")

    def look_for_secrets(self) -> None:
        """Give every secret still empty the default password, or report all that are missing as one problem."""
        default = self.values["CONFIG_DEFAULT_PASSWORD"]
        missing = []
        for parameter in self.catalogue:
            if parameter.random and not self.values[parameter.name]:
                self.values[parameter.name] = default if parameter.is_supported else Secret("")
                if not default and parameter.is_supported and is_used(parameter.name, self.catalogue, self.values):
                    missing.append(parameter.name)
        if missing:
            told = [name for name in missing if name in self.given]
            message = f"no secret is given for {', '.join(missing)}"
            remedy = (
                f"run pystack generate --from {self.parsed.name} --output NEW, which makes up what is missing; "
                "or set CONFIG_DEFAULT_PASSWORD"
            )
            if told:
                self._report(Severity.ERROR, self.given[told[0]], message, remedy)
            else:
                self.problems.append(Problem(Severity.ERROR, message, remedy, self.parsed.name))

    def look_for_contradictions(self) -> None:
        """Report what no single value shows, at the line of the parameter it belongs to."""
        for problem in cross_checks(self.values, self.catalogue, self.unread):
            if problem.key in self.given:
                self._report(problem.severity, self.given[problem.key], problem.message, problem.remedy)
            else:
                self.problems.append(dataclasses.replace(problem, file=self.parsed.name))

    def _report(self, severity: Severity, given: Given, message: str, remedy: str) -> None:
        entry = given.entry
        secret = self.catalogue.hides(entry.key) and not is_no_secret(entry.value)
        text, mark = mask_entry(entry.line.text, entry.column, secret)
        self.problems.append(Problem(severity, message, remedy, given.file, entry.line.number, text, mark, entry.key))


def says_nothing(parameter: Parameter, text: str) -> bool:
    """Tell whether a value is as good as none, so that the default or what an old name says holds."""
    return not parameter.keeps_empty and (is_no_secret(text) if parameter.is_secret else not text)


def is_no_secret(text: str) -> bool:
    """Tell whether a text only holds a secret's place: empty, a mask, or Packstack's placeholder."""
    return text == PLACEHOLDER or not text.strip("*")
