"""What is wrong with an answer file, in the form the operator reads."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from enum import Enum

from installer.answers.shown import printable
from installer.errors import AnswerFileError
from installer.resources.secret import MASK

SECRET_NAME = re.compile(
    r"_PW\b|PASS|SECRET|TOKEN|_HASH\b|_AKEY\b|_SAT6_KEY\b|ENC_KEY|_CEPH_KEY\b|_BACKEND_OPTIONS\b", re.IGNORECASE
)
WIDTH = 160


class Severity(Enum):
    """How much a problem matters: an error stops, a warning says what will not be as written, a notice informs."""

    ERROR = "error"
    WARNING = "warning"
    NOTICE = "notice"


@dataclass(frozen=True)
class Problem:
    """One thing to know about an answer file.

    Args:
        severity: whether it stops the run.
        message: what is wrong, naming the parameter.
        remedy: what would be right; may be empty.
        file: the answer file, or ``--set`` for a value given on the command line; empty when it is about neither.
        line: line number from 1, or 0 when no single line is at fault.
        text: that line as the operator wrote it, secrets masked.
        mark: column (from 0) and length of the part at fault; length 0 for none.
        key: the parameter it is about, or empty.
    """

    severity: Severity
    message: str
    remedy: str = ""
    file: str = ""
    line: int = 0
    text: str = ""
    mark: tuple[int, int] = (0, 0)
    key: str = ""

    @property
    def is_error(self) -> bool:
        """Whether the answer file cannot be used because of it."""
        return self.severity is Severity.ERROR

    def render(self) -> str:
        """Return the problem as plain lines: place and message, the line with the part marked, the remedy."""
        place = f"{self.file}:{self.line}: " if self.line else f"{self.file}: " if self.file else ""
        lines = [printable(f"{place}{self.severity.value}: {self.message}")]
        if self.text:
            lines.append(f"    {printable(self.text[:WIDTH])}".rstrip())
            start, length = self.mark
            if length and start < WIDTH:
                lines.append("    " + " " * start + "^" * min(length, WIDTH - start))
        if self.remedy:
            lines.append(printable(f"    remedy: {self.remedy}"))
        return "\n".join(lines)


class InvalidAnswerFile(AnswerFileError):
    """An answer file that cannot be used, with every problem found in it.

    Args:
        problems: all problems, errors and others, in the order of the file.
        name: the answer file.
    """

    def __init__(self, problems: Sequence[Problem], name: str) -> None:
        self.problems = tuple(problems)
        errors = [problem for problem in problems if problem.is_error]
        count = "1 error" if len(errors) == 1 else f"{len(errors)} errors"
        body = "\n".join(problem.render() for problem in errors)
        super().__init__(f"{name} cannot be used: {count}\n{body}", "correct these lines and run again")


def in_file_order(problems: Iterable[Problem]) -> list[Problem]:
    """Return the problems by line, those without a line last."""
    return sorted(problems, key=lambda problem: (problem.line == 0, problem.line))


def mask_entry(text: str, column: int, secret: bool) -> tuple[str, tuple[int, int]]:
    """Return a line ``KEY=value`` as a problem may show it, and the column and length of the value there.

    Args:
        text: the line.
        column: where the value begins, from 0.
        secret: whether the value is to be masked; the password within a URL always is.
    """
    shown = mask_userinfo(mask_line(text, column) if secret else text)
    return shown, (column, max(0, len(shown.rstrip()) - column))


def mask_line(text: str, column: int) -> str:
    """Return a line with all from a column on masked."""
    return text[:column] + MASK if text[column:].strip() else text


def mask_userinfo(text: str) -> str:
    """Return a line with the password of every ``scheme://user:password@host`` masked."""
    return re.sub(r"(://[^/:@\s]*:)[^/@\s]+@", rf"\1{MASK}@", text)
