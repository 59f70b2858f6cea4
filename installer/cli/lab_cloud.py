"""The throw-away cloud of `pystack install --lab`: its host and its answer file."""

from __future__ import annotations

from collections.abc import Callable

from installer.cli.given import Style
from installer.cli.output import Screen

NAME = "lab-1"


def provide(overrides: dict[str, str], style: Style) -> str:
    """Make the lab's host and answer file unless they are there, and return the file's path.

    Args:
        overrides: from ``--set``.
        style: how the command shows itself.
    """
    from installer import answers, lab

    report = told(style)
    known = {host.name: host for host in lab.hosts()}
    host = known.get(NAME) or lab.up([NAME], report=report, external=True)[0]
    path = host.folder / "answers.txt"
    if not path.exists():
        wanted = {**lab.answers([host]), "CONFIG_SSH_KEY": str(host.private_key), **overrides}
        answers.write(path, answers.generate((), wanted))
        report(f"the answer file of this lab is {path}")
    return str(path)


def told(style: Style) -> Callable[[str], None]:
    """Return what prints the progress of the lab: on standard error, so that JSON stays alone on standard output."""
    screen = Screen(error=True, silent=style.quiet)
    return lambda text: screen.line(text, "dim")
