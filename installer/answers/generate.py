"""Makes answer files: complete, commented, with fresh secrets, and the same for the same input otherwise."""

from __future__ import annotations

import secrets
import string
import textwrap
from collections.abc import Callable, Iterator, Mapping, Sequence

from installer.answers.catalogue import Catalogue, Parameter, Status, catalogue
from installer.answers.checks import host_parameters
from installer.answers.model import COMMAND_LINE
from installer.answers.network_types import Host
from installer.answers.parse import assignment
from installer.answers.plain_types import YesNo
from installer.answers.problem import InvalidAnswerFile, Problem, Severity
from installer.answers.remedies import remedy_of
from installer.answers.shown import ValueProblem
from installer.answers.types import List

#: 32 letters and digits hold 190 bits, and are a length that every service takes for a key.
SECRET_LENGTH = 32
ALPHABET = string.ascii_letters + string.digits
WIDTH = 100
LOCALHOST = "localhost"
HOSTS = List(item=Host())

HEADING = """\
# Answer file of pystack: what the cloud is to be. To make it so:
#     pystack install --answer-file THIS_FILE
# KEY=value, one to a line; lines that begin with # are comments; an empty value means the default.
# The file holds the cloud's secrets: keep it, and keep it from others.
"""
NOT_YET = """\
# ------------------------------------------------------------------------------
# Accepted, but not done yet: pystack reads what follows and changes nothing by it
# ------------------------------------------------------------------------------
"""


def new_secret() -> str:
    """Return a secret that no shell, file format or double click breaks: letters and digits only."""
    return "".join(secrets.choice(ALPHABET) for _ in range(SECRET_LENGTH))


def generate(
    hosts: Sequence[str] = (),
    overrides: Mapping[str, str] | None = None,
    carried: Mapping[str, str] | None = None,
    *,
    full: bool = False,
    make_secret: Callable[[], str] = new_secret,
) -> str:
    """Return the text of an answer file.

    Args:
        hosts: the first is controller and everything else there is one of; the others run instances, or the first does
            when it is alone. Without hosts, and none carried, the cloud is on this machine, as ``localhost``.
        overrides: parameter name to text, as given with ``--set``; they win over all else.
        carried: parameter name to text, from ``carry``; ``hosts`` wins over the hosts among them.
        full: write the parameters that do nothing yet as well.
        make_secret: returns a new secret at each call.

    Raises:
        InvalidAnswerFile: a host or an override is not valid; every such problem is named.
    """
    known = catalogue()
    values = {known.resolve(name): text for name, text in (carried or {}).items()}
    if hosts:
        for name in host_parameters(known):
            values.pop(name, None)
    values |= _read_hosts(hosts) | _read_overrides(overrides or {}, known)
    values.setdefault("CONFIG_CONTROLLER_HOST", LOCALHOST)
    # Here alone an empty value is not the default: it would mean that no host runs instances.
    values.setdefault("CONFIG_COMPUTE_HOSTS", values["CONFIG_CONTROLLER_HOST"])
    for parameter in known:
        wanted = parameter.is_supported or full
        if parameter.random and wanted and not values.get(parameter.name) and not values.get("CONFIG_DEFAULT_PASSWORD"):
            values[parameter.name] = make_secret()
    return _render(known, values, full)


def _read_hosts(hosts: Sequence[str]) -> dict[str, str]:
    if not hosts:
        return {}
    names: list[str] = []
    problems = []
    for host in hosts:
        try:
            names += HOSTS.parse(host) or [HOSTS.item.read(host.strip())]
        except ValueProblem as problem:
            problems.append(Problem(Severity.ERROR, problem.message, problem.remedy, "--hosts"))
    _raise_if_any(problems, "--hosts")
    return {"CONFIG_CONTROLLER_HOST": names[0], "CONFIG_COMPUTE_HOSTS": ",".join(names[1:] or names)}


def _read_overrides(overrides: Mapping[str, str], known: Catalogue) -> dict[str, str]:
    values = {}
    problems = []
    for given, text in overrides.items():
        name = known.resolve(given.strip())
        try:
            if name not in known:
                near = " or ".join(known.nearest(name))
                raise ValueProblem(f"{name} is not a parameter", f"did you mean {near}?" if near else "leave it out")
            known[name].type.parse(text)
            assignment(name, text.strip())
            values[name] = text.strip()
        except ValueProblem as problem:
            message = problem.message if name in problem.message else f"{name}: {problem.message}"
            remedy = remedy_of(problem, text.strip(), known[name].type) if name in known else problem.remedy
            problems.append(Problem(Severity.ERROR, message, remedy, COMMAND_LINE, key=name))
    _raise_if_any(problems, COMMAND_LINE)
    return values


def _raise_if_any(problems: Sequence[Problem], name: str) -> None:
    if problems:
        raise InvalidAnswerFile(problems, name)


def _render(known: Catalogue, values: Mapping[str, str], full: bool) -> str:
    parts = [HEADING, "[general]\n"]
    parts += _sections(known, values, lambda parameter: parameter.is_supported)
    later = [
        *_sections(known, values, lambda parameter: not parameter.is_supported and _has_a_say(parameter, values, full))
    ]
    if later:
        parts += [NOT_YET, *later]
    return "\n".join(parts)


def _has_a_say(parameter: Parameter, values: Mapping[str, str], full: bool) -> bool:
    return parameter.name in values or (full and parameter.status is Status.LATER)


def _sections(known: Catalogue, values: Mapping[str, str], wanted: Callable[[Parameter], bool]) -> Iterator[str]:
    for title, parameters in known.sections().items():
        chosen = [parameter for parameter in parameters if wanted(parameter)]
        if chosen:
            yield f"# ---- {title} " + "-" * (74 - len(title)) + "\n"
        for parameter in chosen:
            text = values.get(parameter.name, parameter.default)
            yield f"{_comment(parameter)}\n{assignment(parameter.name, text)}\n"


def _comment(parameter: Parameter) -> str:
    what = [parameter.doc]
    if not parameter.is_supported:
        what.append(f"Not done yet: {parameter.note}" if parameter.status is Status.LATER else parameter.note)
    may_be = [] if isinstance(parameter.type, YesNo) or parameter.is_secret else [parameter.type.describe()]
    if parameter.default:
        may_be.append(f"default {parameter.default}")
    may_be += [f"only with {condition}" for condition in parameter.conditions()]
    hint = f"({'; '.join(may_be)})" if may_be else ""
    return "\n".join(f"# {line}" for text in (" ".join(what), hint) for line in _wrapped(text))


def _wrapped(text: str) -> list[str]:
    return textwrap.wrap(text, WIDTH - 2, break_long_words=False, break_on_hyphens=False)
