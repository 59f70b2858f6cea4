"""Answer files on disk: read once and never rewritten; a new one is written whole, and only where none was."""

from __future__ import annotations

import os
import tempfile
from collections.abc import Mapping
from pathlib import Path

from installer.answers.catalogue import catalogue
from installer.answers.model import Answers
from installer.answers.parse import Entry, Parsed, decode, parse_text
from installer.answers.problem import InvalidAnswerFile, Problem, Severity, mask_userinfo
from installer.answers.validate import Outcome, evaluate, is_no_secret
from installer.errors import AnswerFileError

#: A full answer file has about 50 kB; what is larger than this is something else.
LARGEST = 1024 * 1024


def load(path: str | os.PathLike[str], overrides: Mapping[str, str] | None = None) -> Answers:
    """Return the answers of a file.

    Args:
        path: the answer file.
        overrides: parameter name to text, from ``--set KEY=VALUE``; they win over the file.

    Raises:
        InvalidAnswerFile: with every problem of the file.
        AnswerFileError: there is no such file, or it cannot be read.
    """
    return accept(_evaluate(path, overrides), str(path))


def load_text(text: str, name: str, overrides: Mapping[str, str] | None = None) -> Answers:
    """Return the answers of an answer file's text, as ``load`` does; ``name`` is what problems call it."""
    return accept(evaluate(parse_text(text, name), overrides or {}, catalogue()), name)


def check(path: str | os.PathLike[str], overrides: Mapping[str, str] | None = None) -> list[Problem]:
    """Return every problem of an answer file, in the order of its lines; raises AnswerFileError if it is unreadable."""
    return list(_evaluate(path, overrides).problems)


def accept(outcome: Outcome, name: str) -> Answers:
    """Return the answers of an outcome, or raise InvalidAnswerFile with its problems."""
    if outcome.answers is None:
        raise InvalidAnswerFile(outcome.problems, name)
    return outcome.answers


def read(path: str | os.PathLike[str]) -> str:
    """Return the text of an answer file; raises AnswerFileError when it is absent, unreadable or far too large."""
    try:
        with open(path, "rb") as file:
            data = file.read(LARGEST + 1)
    except (OSError, ValueError) as error:
        reason = getattr(error, "strerror", None) or str(error)
        remedy = "name an answer file that you may read, or make one: pystack generate --output FILE"
        raise AnswerFileError(f"cannot read the answer file {path}: {reason}", remedy) from error
    if len(data) > LARGEST:
        raise AnswerFileError(f"{path} is larger than {LARGEST} bytes", "this is not an answer file; name another")
    return decode(data)


def write(path: str | os.PathLike[str], text: str, *, replace: bool = False) -> None:
    """Write an answer file with mode 0600, whole or not at all.

    Args:
        path: where to.
        text: the file.
        replace: whether a file that is there already is given up.

    Raises:
        AnswerFileError: the file is there already, or cannot be written.
    """
    target = Path(path)
    try:
        # mkstemp makes the file with mode 0600, so the secrets are never open to others.
        handle, scratch = tempfile.mkstemp(dir=target.parent, prefix=f".{target.name[:100]}.")
        try:
            with os.fdopen(handle, "wb") as file:
                file.write(text.encode())
                file.flush()
                os.fsync(file.fileno())
            if replace:
                os.replace(scratch, target)
            else:
                # Unlike a rename, a link fails where the name is taken, even if only since a moment ago.
                os.link(scratch, target, follow_symlinks=False)
        finally:
            Path(scratch).unlink(missing_ok=True)
    except FileExistsError as error:
        raise AnswerFileError(f"{path} exists already", "name another file, or remove that one first") from error
    except (OSError, ValueError) as error:
        reason = getattr(error, "strerror", None) or str(error)
        raise AnswerFileError(f"cannot write {path}: {reason}", "name a file in a folder you may write to") from error


def _evaluate(path: str | os.PathLike[str], overrides: Mapping[str, str] | None) -> Outcome:
    parsed: Parsed = parse_text(read(path), str(path))
    _look_at_mode(Path(path), parsed)
    return evaluate(parsed, overrides or {}, catalogue())


def _look_at_mode(path: Path, parsed: Parsed) -> None:
    if path.is_file() and path.stat().st_mode & 0o044 and any(map(_has_secret, parsed.entries)):
        parsed.problems.append(
            Problem(
                Severity.WARNING, "other users of this machine can read the secrets in this file", f"chmod 600 {path}",
                str(path),
            )
        )  # fmt: skip


def _has_secret(entry: Entry) -> bool:
    in_a_url = mask_userinfo(entry.value) != entry.value
    return in_a_url or (catalogue().hides(entry.key) and not is_no_secret(entry.value))
