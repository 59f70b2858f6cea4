"""The databases of Open vSwitch and OVN, through ovs-vsctl, ovn-nbctl and ovn-sbctl."""

from __future__ import annotations

import json
import time
from typing import Any, Dict, List, Sequence

from installer.agent.host import CommandFailed, Completed, Host
from installer.resources.base import CannotFix, Unknown

Row = Dict[str, Any]

#: Seconds that a command waits for its database, or for ovs-vswitchd to have done what it now says.
PATIENCE = 30
#: How a command ends that is not installed.
MISSING = 127


class NotThere(Exception):
    """A database that cannot be asked.

    Args:
        completed: how the question ended.
    """

    def __init__(self, completed: Completed) -> None:
        said = completed.err.strip().splitlines()
        super().__init__(said[-1] if said else f"{completed.argv[0]} ended with code {completed.code}")
        self.installed = completed.code != MISSING

    def state(self) -> Unknown:
        """Return the state of what the database may hold."""
        return Unknown(str(self))


def ask(program: str, tables: Sequence[str], host: Host) -> List[List[Row]]:
    """Return the rows of tables, in one command. Changes nothing.

    Args:
        program: ``ovs-vsctl``, ``ovn-nbctl`` or ``ovn-sbctl``.
        tables: each the name of a table, and after a blank the columns wanted, separated by commas.
        host: the host.

    Raises:
        NotThere: the program is not installed, or its database does not run.
    """
    argv = [program, f"--timeout={PATIENCE}", "--format=json"]
    for number, table in enumerate(tables):
        name, _, columns = table.partition(" ")
        argv += ["--"] if number else []
        argv += [f"--columns={columns}"] if columns else []
        argv += ["list", name]
    done = host.run(argv, expect=None, timeout=PATIENCE + 10)
    if done.code:
        raise NotThere(done)
    return parse(done.out)


def ask_soon(program: str, tables: Sequence[str], host: Host) -> List[List[Row]]:
    """Return the rows of tables as ``ask`` does, of a database that was started a moment ago.

    Raises:
        CannotFix: it cannot be asked after ``PATIENCE`` seconds either.
    """
    deadline = time.monotonic() + PATIENCE
    while True:
        try:
            return ask(program, tables, host)
        except NotThere as problem:
            if not problem.installed or time.monotonic() > deadline:
                raise CannotFix(f"{problem} (asked for {PATIENCE} s)") from None
        time.sleep(0.2)


def parse(output: str) -> List[List[Row]]:
    """Return the tables that ``--format=json`` printed, one document per line, each as rows by column.

    Values are plain: a set is a list, a map a dict, a row's id its text; a set of one is that one by itself.
    """
    tables = []
    for line in output.splitlines():
        if line.strip():
            table = json.loads(line)
            tables.append([dict(zip(table["headings"], map(_plain, row))) for row in table["data"]])
    return tables


def _plain(value: Any) -> Any:
    """Return a value without the tags of RFC 7047, 5.1."""
    if not isinstance(value, list):
        return value
    tag, content = value
    if tag == "map":
        return {_plain(key): _plain(item) for key, item in content}
    return [_plain(item) for item in content] if tag == "set" else content


def several(value: Any) -> List[Any]:
    """Return a set as a list, also where the database gave its one member by itself."""
    return value if isinstance(value, list) else [value]


def quoted(text: str) -> str:
    """Return a text as these commands read it whatever is in it: they read JSON's strings."""
    return json.dumps(text)


def change(program: str, words: Sequence[str], host: Host, wait: bool = False) -> None:
    """Run one transaction.

    Args:
        program: see ``ask``.
        words: its commands, each after a ``--``.
        host: the host.
        wait: until ovs-vswitchd has done it; without a running one that fails after ``PATIENCE`` seconds.

    Raises:
        CommandFailed: it was refused.
    """
    # OVN's commands do not wait unless they are told to, and one of them does not know the option.
    hurry = ["--no-wait"] if program == "ovs-vsctl" and not wait else []
    done = host.run([program, f"--timeout={PATIENCE}", *hurry, *words], expect=None, timeout=PATIENCE + 10)
    if done.code:
        raise CommandFailed(done)
