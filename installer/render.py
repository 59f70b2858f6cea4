"""Templates to files: every value is quoted for the kind of file, every secret inside is known by what was written."""

from __future__ import annotations

import contextvars
import functools
from dataclasses import dataclass, field
from typing import Any

import jinja2

from installer import quoting
from installer.errors import AnswerFileError, InternalError
from installer.paths import TEMPLATES
from installer.resources.file import File
from installer.resources.secret import Secret


@dataclass(frozen=True)
class Rendered:
    """What a template made.

    Args:
        content: the text of the file, with secrets in clear.
        secrets: every secret inside, as the file writes it: quoted, escaped.
    """

    content: str = field(repr=False)
    secrets: tuple[Secret, ...] = ()


def render(template: str, **context: Any) -> Rendered:
    """Fill a template; each ``{{ }}`` is quoted by ``installer.quoting`` for the kind of file.

    Args:
        template: path below templates/, ending in ``.j2``.
        context: what the template may name.

    Raises:
        AnswerFileError: a value that this kind of file has no way to write.
        InternalError: the template names what it was not given, or was given what no file can hold.
    """
    found: list[Secret] = []
    kind = quoting.format_of(template)
    token = _SECRETS.set(found)
    try:
        content = _environment(kind).get_template(template).render(**context)
    except quoting.Unwritable as problem:
        raise AnswerFileError(
            f"{_place(template, problem)}: {problem}, which {kind.title} has no way to write",
            "change the parameter that this value comes from",
        ) from None
    except (jinja2.TemplateError, TypeError) as problem:
        raise InternalError(f"{_place(template, problem)}: {problem}") from problem
    finally:
        _SECRETS.reset(token)
    return Rendered(content, tuple(dict.fromkeys(found)))


def rendered_file(
    path: str, template: str, *, owner: str = "root", group: str = "root", mode: int = 0o644, **context: Any
) -> File:
    """Return the File resource for a template.

    Args:
        path: where the file stands on the host.
        template: see ``render``.
        owner, group, mode: see ``File``.
        context: see ``render``.
    """
    made = render(template, **context)
    return File(path, content=made.content, secrets=made.secrets, owner=owner, group=group, mode=mode)


_SECRETS: contextvars.ContextVar[list[Secret]] = contextvars.ContextVar("secrets of the template in hand")


@functools.cache
def _environment(kind: quoting.Format) -> jinja2.Environment:
    def finalize(value: Any) -> str:
        written = kind.write(value)
        if _holds_secret(value):
            _SECRETS.get().append(Secret(written))
        return written

    environment = jinja2.Environment(
        loader=jinja2.FileSystemLoader(TEMPLATES),
        autoescape=False,  # noqa: S701 - finalize quotes for the kind of file at hand, and none of them is HTML
        finalize=finalize,
        undefined=jinja2.StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
        auto_reload=False,
    )
    environment.globals.clear()
    return environment


def _holds_secret(value: Any) -> bool:
    if isinstance(value, (list, tuple)):
        return any(isinstance(item, Secret) for item in value)
    return isinstance(value, Secret)


def _place(template: str, problem: BaseException) -> str:
    """Return the template's line that a traceback comes from, which names the setting and the parameter."""
    place, trace = template, problem.__traceback__
    while trace is not None:
        path, number = trace.tb_frame.f_code.co_filename, trace.tb_lineno
        if path.startswith(f"{TEMPLATES}/"):
            line = (TEMPLATES / path).read_text().splitlines()[number - 1].strip()
            place = f"{path.removeprefix(f'{TEMPLATES}/')}, line {number} ({line})"
        trace = trace.tb_next
    return place
