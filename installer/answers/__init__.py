"""The answer file: what it may hold, what it says, what is wrong with it, and how to make one."""

from installer.answers.carry import Carried, carry
from installer.answers.catalogue import Catalogue, Parameter, Status, catalogue
from installer.answers.files import check, load, load_text, read, write
from installer.answers.generate import generate
from installer.answers.model import Answers, Source
from installer.answers.problem import InvalidAnswerFile, Problem, Severity

__all__ = [
    "Answers",
    "Carried",
    "Catalogue",
    "InvalidAnswerFile",
    "Parameter",
    "Problem",
    "Severity",
    "Source",
    "Status",
    "carry",
    "catalogue",
    "check",
    "generate",
    "load",
    "load_text",
    "read",
    "write",
]
