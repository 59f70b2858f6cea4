"""`pystack generate`: a new answer file."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import TYPE_CHECKING, Any

from installer.cli.options import verb

if TYPE_CHECKING:
    from installer.answers import Problem


@verb
def generate(
    _context: Any,
    output: str = "",
    hosts: str = "",
    from_: str = "",
    set_: Sequence[str] | None = None,
) -> int:
    """Write a new answer file, complete, commented, with fresh secrets

    Without --hosts the cloud is on this machine. An existing file is never overwritten. Needs no network.

    Examples:
      pystack generate --output cloud.txt --hosts 192.0.2.10,192.0.2.11
      pystack generate --output new.txt --from packstack-answers.txt

    Exit codes: 0 written, 2 it could not be
    """
    from installer.cli.given import settings
    from installer.cli.output import Screen

    name = output or dated_name()
    lost = make(name, hosts, settings(set_), from_)
    screen = Screen()
    if from_:
        from installer.report.carried import losses

        screen.lines(losses(lost, screen.width))
        screen.line(f"{from_} was carried over" + (", but for what is listed above" if lost else ", all of it"))
    screen.line(f"{name} is written (mode 0600: it holds the cloud's secrets)", "green")
    screen.line("what to do next:")
    screen.line(f"  look through it, then        pystack validate --answer-file {name}")
    screen.line(f"  see what would change        pystack plan --answer-file {name}")
    screen.line(f"  install                      pystack install --answer-file {name}")
    return 0


def dated_name() -> str:
    """Return the name of an answer file for which none was given."""
    return f"pystack-answers-{datetime.now():%Y%m%d-%H%M%S}.txt"


def make(path: str, hosts: str, overrides: dict[str, str], old: str = "") -> Sequence[Problem]:
    """Write an answer file and return what could not be carried over from an old one.

    Args:
        path: the new file.
        hosts: addresses, with commas between; empty for this machine.
        overrides: from ``--set``.
        old: an older answer file; empty for none.

    Raises:
        AnswerFileError: a value is not valid, the old file cannot be read, or the new one not written.
    """
    from installer import answers

    carried = answers.carry(answers.read(old), old) if old else None
    addresses = [host.strip() for host in hosts.split(",") if host.strip()]
    answers.write(path, answers.generate(addresses, overrides, carried.values if carried else None))
    return carried.lost if carried else ()
