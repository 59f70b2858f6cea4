"""Reads the text of an answer file: Packstack's language, with every line remembered and every fault collected.

The language is that of Python's ``configparser.RawConfigParser`` (its documentation, "Supported INI File Structure"):
``[section]``, ``KEY=value`` or ``KEY: value``, comments on lines of their own, deeper indented lines continue a value.
Only one thing differs: a line that sets a known parameter never continues a value; indented so, it is an error.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field

from installer.answers.catalogue import catalogue
from installer.answers.plain_types import Sections
from installer.answers.problem import SECRET_NAME, Problem, Severity, mask_line, mask_userinfo
from installer.answers.shown import ValueProblem, shown

SECTION = "general"
HEADER = re.compile(r"\[(.+)\]")
DELIMITER = re.compile(r"[=:]")


@dataclass(frozen=True)
class Line:
    """A line of the file: number from 1, and its text as written."""

    number: int
    text: str


@dataclass(frozen=True)
class Entry:
    """One ``KEY=value`` of the file.

    Args:
        key: in capitals.
        value: blanks around it removed, continued lines joined with line breaks.
        line: where it begins.
        column: where the value begins in that line, from 0.
        continued: the lines that continue it.
    """

    key: str
    value: str
    line: Line
    column: int
    continued: tuple[Line, ...] = ()


@dataclass
class Parsed:
    """The entries of one answer file in order, and what is wrong with its form."""

    name: str
    entries: list[Entry] = field(default_factory=list)
    problems: list[Problem] = field(default_factory=list)


def decode(data: bytes) -> str:
    """Return the text of a file; bytes that are not UTF-8 become lone surrogates, which the parser reports by line."""
    if data.startswith((b"\xff\xfe", b"\xfe\xff")):
        return data.decode("utf-16", errors="replace")
    return data.removeprefix(b"\xef\xbb\xbf").decode("utf-8", errors="surrogateescape")


def parse_text(text: str, name: str) -> Parsed:
    """Return the entries of an answer file's text and the faults of its form; never raises.

    Args:
        text: the whole file.
        name: what problems call the file.
    """
    reader = _Reader(Parsed(name))
    for number, line in enumerate(re.split(r"\r\n|\r|\n", text.removeprefix("\ufeff")), start=1):
        reader.take(Line(number, line))
    return reader.finish()


def assignment(key: str, text: str) -> str:
    """Return the lines of an answer file that set a parameter; raises ValueProblem if none can hold that value."""
    first, *rest = text.split("\n")
    written = "\n".join([f"{key}={first}", *(f"    {line}" if line else "" for line in rest)])
    read = parse_text(f"[{SECTION}]\n{written}", "")
    if read.problems or [entry.value for entry in read.entries] != [text]:
        raise ValueProblem(
            f"the value of {key} cannot be written in an answer file",
            "use one without blanks at the ends of its lines, and with no later line like a comment or parameter",
        )
    return written


class _Reader:
    """Takes line by line; holds the entry being read and the place in the file."""

    def __init__(self, parsed: Parsed) -> None:
        self.parsed = parsed
        self.section: str | None = None
        self.seen: dict[str, Line] = {}
        self.indent = 0
        self.open: Entry | None = None
        self.values: list[str] = []
        self.last_key = ""
        self.repeated = False
        self.has_general = False
        self.told_missing_header = False

    def take(self, line: Line) -> None:
        content = line.text.strip()
        if content.startswith(("#", ";")):
            return
        if not content:
            self.values.append("")
            return
        indent = len(line.text) - len(line.text.lstrip())
        continues = self.open is not None and indent > self.indent
        if continues and not self._is_swallowed(line, content):
            self._continue(line, content)
            return
        self._close()
        if not continues:
            self.indent = indent
        if not self._is_text(line):
            return
        header = HEADER.match(content)
        if header:
            self._enter(line, header[1])
        else:
            self._assign(line, content)

    def finish(self) -> Parsed:
        self._close()
        if not self.has_general and not self.told_missing_header:
            self._report(Severity.ERROR, f"there is no [{SECTION}] section", f"begin the file with a line [{SECTION}]")
        return self.parsed

    def _is_swallowed(self, line: Line, content: str) -> bool:
        """Report a parameter that its indentation makes part of the value above; it is then read as a parameter."""
        delimiter = DELIMITER.search(content)
        key = content[: delimiter.start()].strip().upper() if delimiter else ""
        if self.section not in (None, SECTION) or not catalogue().knows(key):
            return False
        message = f"{key} is indented, so the line counts as part of the value of {shown(self.last_key)[1:-1]}"
        self._report(Severity.ERROR, message, "remove the blanks before it", _masked(line), key)
        return True

    def _continue(self, line: Line, content: str) -> None:
        assert self.open is not None  # noqa: S101 - for the type checker
        self._is_text(line)
        self.values.append(content)
        self.open = Entry(
            self.open.key, self.open.value, self.open.line, self.open.column, (*self.open.continued, line)
        )

    def _close(self) -> None:
        if self.open and not self.repeated:
            value = "\n".join(self.values).rstrip()
            self.parsed.entries.append(
                Entry(self.open.key, value, self.open.line, self.open.column, self.open.continued)
            )
        self.open = None
        self.values = []

    def _enter(self, line: Line, title: str) -> None:
        self.section = title.strip().lower()
        if self.section != SECTION and self._is_of_options():
            message = f"section {shown(title)} is not indented, so it is not part of {self.last_key}"
            self._report(Severity.ERROR, message, "put blanks before it and before its options", line)
            return
        if self.section != SECTION:
            remedy = f"move what you need of it to [{SECTION}]"
            self._report(Severity.WARNING, f"section {shown(title)} is not read", remedy, line)
            return
        if title != SECTION:
            self._report(Severity.NOTICE, f"section {shown(title)} is read as [{SECTION}]", "", line)
        if self.has_general:
            self._report(Severity.WARNING, f"[{SECTION}] begins a second time", "remove this line", line)
        self.has_general = True

    def _is_of_options(self) -> bool:
        """Tell whether the parameter above is one that has sections itself."""
        known, name = catalogue(), catalogue().resolve(self.last_key)
        return name in known and isinstance(known[name].type, Sections)

    def _assign(self, line: Line, content: str) -> None:
        if self.section not in (None, SECTION):
            return
        match = DELIMITER.search(content)
        if not match or not match.start():
            self._report_junk(line, nameless=bool(match))
            return
        if self.section is None and not self.told_missing_header:
            self.told_missing_header = True
            message = f"there is no [{SECTION}] before the first parameter"
            self._report(Severity.ERROR, message, f"put a line [{SECTION}] above it", _masked(line))
        key = content[: match.start()].rstrip().upper()
        value = content[match.end() :].strip()
        self.last_key = key
        self.open = Entry(key, value, line, _value_column(line.text))
        self.values = [value]
        self.repeated = key in self.seen
        if self.repeated:
            self._report_duplicate(self.open)
        else:
            self.seen[key] = line

    def _report_duplicate(self, entry: Entry) -> None:
        first = self.seen[entry.key]
        text = mask_line(entry.line.text, entry.column) if SECRET_NAME.search(entry.key) else entry.line.text
        self._report(
            Severity.ERROR,
            f"{shown(entry.key)[1:-1]} is set twice: on line {first.number} and on line {entry.line.number}",
            "remove one of the two lines",
            Line(entry.line.number, text),
            key=entry.key,
        )

    def _report_junk(self, line: Line, nameless: bool) -> None:
        what = "a value without a parameter" if nameless else "neither a parameter, nor a section, nor a comment"
        # What follows a secret may be the rest of it.
        hidden = Line(line.number, "********") if SECRET_NAME.search(self.last_key) or nameless else line
        remedy = "write KEY=value, or begin the line with #; to continue a value, indent the line"
        self._report(Severity.ERROR, f"this line is {what}", remedy, hidden)

    def _is_text(self, line: Line) -> bool:
        if not any("\ud800" <= char <= "\udfff" for char in line.text):
            return True
        remedy = "save the file as UTF-8: iconv -f ISO-8859-1 -t UTF-8 OLD > NEW"
        self._report(Severity.ERROR, "this line is not UTF-8 text", remedy, Line(line.number, ""))
        return False

    def _report(self, severity: Severity, message: str, remedy: str, line: Line | None = None, key: str = "") -> None:
        number, text = (line.number, mask_userinfo(line.text)) if line else (0, "")
        self.parsed.problems.append(Problem(severity, message, remedy, self.parsed.name, number, text, key=key))


def _value_column(text: str) -> int:
    delimiter = DELIMITER.search(text)
    after = delimiter.end() if delimiter else 0
    return after + len(text[after:]) - len(text[after:].lstrip())


def _masked(line: Line) -> Line:
    column = _value_column(line.text)
    hidden = SECRET_NAME.search(line.text[:column])
    return Line(line.number, mask_line(line.text, column)) if hidden else line
