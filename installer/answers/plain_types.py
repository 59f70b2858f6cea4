"""Types of parameters that hold texts and numbers; each reads text, writes it back, and says what is wrong."""

from __future__ import annotations

import math
import re
import unicodedata
from dataclasses import dataclass
from pathlib import PurePosixPath
from typing import Any, ClassVar

from installer import sections
from installer.answers.shown import ValueProblem, shown
from installer.resources.secret import Secret

YES = ("y", "yes", "true")
NO = ("n", "no", "false")


def _is_control(char: str) -> bool:
    return unicodedata.category(char) in ("Cc", "Cs", "Zl", "Zp")


def without_control(text: str, allowed: str = "") -> str:
    """Return a text that holds no control character but those allowed; raises ValueProblem if it does."""
    for char in text:
        if _is_control(char) and char not in allowed:
            what = "a line break" if char == "\n" else f"the control character U+{ord(char):04X}"
            raise ValueProblem(f"the value holds {what}", "remove it")
    return text


@dataclass(frozen=True)
class Type:
    """Base of all types: ``blank`` is the value of an empty text, ``title`` what documentation calls the type."""

    title: ClassVar[str] = ""
    blank: ClassVar[Any] = None

    def parse(self, text: str) -> Any:
        """Return the value that a text stands for; raises ValueProblem. An empty text stands for ``blank``."""
        return self.read(text.strip()) if text.strip() else self.blank

    def read(self, text: str) -> Any:
        """Return the value of a text that is not empty; every type MUST override this."""
        raise NotImplementedError

    def format(self, value: Any) -> str:
        """Return the text that ``parse`` turns into this value."""
        return "" if value is None else str(value)

    def describe(self) -> str:
        """Return what may be written, for documentation and comments."""
        return self.title


@dataclass(frozen=True)
class Text(Type):
    """One line of text; ``pattern`` is a regular expression for all of it, and ``shape`` tells people what it means."""

    title: ClassVar[str] = "text"
    blank: ClassVar[Any] = ""
    pattern: str = ""
    shape: str = ""

    def read(self, text: str) -> str:
        """Return the text itself."""
        without_control(text, allowed="\t")
        if self.pattern and not re.fullmatch(self.pattern, text):
            raise ValueProblem(f"{shown(text)} is not of the form {self.shape}", f"write it as {self.shape}")
        return text

    def describe(self) -> str:
        """Return the shape where there is one."""
        return self.shape or self.title


@dataclass(frozen=True)
class SecretText(Type):
    """A password or key: any text, taken as it stands, shown nowhere."""

    title: ClassVar[str] = "secret"
    blank: ClassVar[Any] = Secret("")

    def parse(self, text: str) -> Secret:
        """Return the secret; only characters that no password field accepts are refused."""
        return Secret(without_control(text, allowed="\n\t"))

    def format(self, value: Any) -> str:
        """Return the secret in clear, for the answer file itself."""
        revealed: str = value.reveal()
        return revealed


@dataclass(frozen=True)
class Sections(SecretText):
    """Sections of options as in cinder.conf, passwords among them; see ``installer.sections``."""

    title: ClassVar[str] = "sections as in cinder.conf, on lines of their own that are indented"

    def parse(self, text: str) -> Secret:
        """Return the text, which has the form of sections with options."""
        try:
            sections.read(text)
        except sections.SectionProblem as problem:
            raise ValueProblem(problem.message, problem.remedy) from None
        return super().parse(text)


@dataclass(frozen=True)
class YesNo(Type):
    """y or n."""

    title: ClassVar[str] = "y or n"

    def read(self, text: str) -> bool:
        """Return True for y, yes, true and False for n, no, false, in capitals or not."""
        if text.lower() in YES:
            return True
        if text.lower() in NO:
            return False
        raise ValueProblem(f"{shown(text)} is neither y nor n", "write y or n")

    def format(self, value: Any) -> str:
        """Return y or n."""
        return "" if value is None else "y" if value else "n"


@dataclass(frozen=True)
class Integer(Type):
    """A whole number from ``minimum`` to ``maximum``."""

    title: ClassVar[str] = "whole number"
    minimum: int | None = None
    maximum: int | None = None

    def read(self, text: str) -> int:
        """Return the number."""
        if not re.fullmatch(r"[+-]?[0-9]{1,18}", text):
            raise ValueProblem(f"{shown(text)} is not a {self.title}", f"write a {self.describe()}")
        number = int(text)
        low = self.minimum is not None and number < self.minimum
        high = self.maximum is not None and number > self.maximum
        if low or high:
            raise ValueProblem(f"{number} is out of range", f"write a {self.describe()}")
        return number

    def describe(self) -> str:
        """Return the type with its range."""
        if self.minimum is not None and self.maximum is not None:
            return f"{self.title} from {self.minimum} to {self.maximum}"
        return self.title if self.minimum is None else f"{self.title}, at least {self.minimum}"


@dataclass(frozen=True)
class Port(Integer):
    """A TCP or UDP port."""

    title: ClassVar[str] = "port"
    minimum: int | None = 1
    maximum: int | None = 65535


@dataclass(frozen=True)
class Number(Type):
    """A number with or without a fraction."""

    title: ClassVar[str] = "number"

    def read(self, text: str) -> float:
        """Return the number, which is finite."""
        try:
            number = float(text)
        except ValueError:
            number = math.nan
        if not math.isfinite(number):
            raise ValueProblem(f"{shown(text)} is not a number", "write a number such as 1.5")
        return number


@dataclass(frozen=True)
class Size(Type):
    """An amount of storage, in bytes once read; units are powers of 1024."""

    title: ClassVar[str] = "size such as 20G"
    UNITS: ClassVar[str] = "KMGT"

    def read(self, text: str) -> int:
        """Return the number of bytes."""
        match = re.fullmatch(r"([0-9]{1,12})\s*([KMGT])(i?B)?", text, re.IGNORECASE)
        if not match or int(match[1]) == 0:
            raise ValueProblem(f"{shown(text)} is not a size", "write a number and a unit: 500M, 20G or 1T")
        return int(match[1]) << 10 * (self.UNITS.index(match[2].upper()) + 1)

    def format(self, value: Any) -> str:
        """Return the size with the largest unit that divides it."""
        if value is None:
            return ""
        power = max(p for p in range(1, 5) if p == 1 or value % 1024**p == 0)
        return f"{value // 1024**power}{self.UNITS[power - 1]}"


@dataclass(frozen=True)
class Path(Type):
    """A file or folder: absolute, or below a home folder."""

    title: ClassVar[str] = "path"

    def read(self, text: str) -> PurePosixPath:
        """Return the path, with a leading ``~`` left as it is."""
        if not without_control(text).startswith(("/", "~")):
            raise ValueProblem(f"{shown(text)} is not an absolute path", "begin it with / or ~/")
        return PurePosixPath(text)
