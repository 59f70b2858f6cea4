"""A command with a stated condition: it runs when the condition says that what it does is not done yet."""

from __future__ import annotations

import dataclasses
import os
import re
from concurrent.futures import ThreadPoolExecutor
from typing import ClassVar, Dict, List, Mapping, Optional, Sequence, Tuple, Union

from installer.agent.host import CommandFailed, Host
from installer.resources.base import Actual, CannotFix, Resource, State, Unknown
from installer.resources.file import write_atomically
from installer.resources.secret import Secret

STAMPS = "/var/lib/pystack/stamps"
#: Checks that run side by side: most of them wait for a Python to start.
CHECKS = 4

_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]*")


@dataclasses.dataclass(frozen=True)
class Command(Resource):
    """A command that runs when its condition says that it is not done. Exactly one condition is given:

    ``creates``: it is done when this path exists. ``unless``: it is done when this command ends with code 0.
    ``stamp``: it is done when it has succeeded with this very stamp before, such as a digest of what it works on.

    Args:
        title: what identifies it on the host: letters, digits, ``.``, ``_``, ``-``.
        argv: program and arguments; no secrets.
        creates: absolute path.
        unless: program and arguments of a check that changes nothing.
        not_done: exit codes with which ``unless`` says "not done"; any other means that it cannot tell.
        stamp: any text; kept under ``/var/lib/pystack/stamps``.
        user: account that both commands run as.
        stdin: text for standard input, the way for secrets.
        env: additions to the fixed environment; of secrets only a proxy's address, which may hold a login.
        timeout: seconds until it is ended.
    """

    kind: ClassVar[str] = "command"

    title: str
    argv: Tuple[str, ...]
    creates: Optional[str] = None
    unless: Tuple[str, ...] = ()
    not_done: Tuple[int, ...] = (1,)
    stamp: Optional[str] = None
    user: Optional[str] = None
    stdin: Union[Secret, str, None] = None
    env: Mapping[str, Union[Secret, str]] = dataclasses.field(default_factory=dict)
    timeout: float = 600.0

    def __post_init__(self) -> None:
        if sum(1 for condition in (self.creates, self.unless, self.stamp) if condition) != 1:
            raise ValueError(f"command {self.title}: exactly one of creates, unless and stamp must be given")
        if not _NAME.fullmatch(self.title):
            raise ValueError(f"command {self.title!r}: the title must be letters, digits, '.', '_' and '-'")

    @property
    def name(self) -> str:
        return self.title

    def expected(self) -> State:
        return {"done": True}

    @classmethod
    def query(cls, resources: Sequence[Command], host: Host) -> Dict[str, Actual]:
        with ThreadPoolExecutor(max_workers=CHECKS) as pool:
            states = list(pool.map(lambda resource: resource.condition(host), resources))
        return {resource.id: state for resource, state in zip(resources, states)}

    def condition(self, host: Host) -> Actual:
        """Return whether it is done; ``Unknown`` if that cannot be told."""
        if self.creates:
            return {"done": os.path.lexists(self.creates)}
        if self.stamp:
            return {"done": _read(self._stamp_path()) == self.stamp}
        try:
            ended = host.run(self.unless, user=self.user, env=self._environment(), timeout=self.timeout, expect=None)
        except CommandFailed as problem:
            return Unknown(str(problem))
        except KeyError:
            return Unknown(f"there is no account {self.user} yet")
        if ended.code == 0 or ended.code in self.not_done:
            return {"done": ended.code == 0}
        last = (ended.err.strip() or ended.out.strip() or "no output").splitlines()[-1]
        return Unknown(f"`{' '.join(self.unless)}` ended with code {ended.code}: {last}")

    def fix(self, actual: Actual, host: Host) -> None:
        if isinstance(actual, Unknown):
            raise CannotFix(f"it cannot be told whether this is done already: {actual.reason}")
        host.run(self.argv, stdin=self.stdin, user=self.user, env=self._environment(), timeout=self.timeout)
        if self.stamp:
            os.makedirs(STAMPS, mode=0o700, exist_ok=True)
            write_atomically(self._stamp_path(), self.stamp.encode(), "root", "root", 0o600)

    def explain(self, actual: Actual, host: Host) -> List[str]:
        who = f" as {self.user}" if self.user else ""
        run = f"+ runs{who}: {' '.join(self.argv)}"
        return [f"  not known yet: {actual.reason}", run] if isinstance(actual, Unknown) else [run, self._because()]

    def _environment(self) -> Dict[str, str]:
        return {name: value.reveal() if isinstance(value, Secret) else value for name, value in self.env.items()}

    def _because(self) -> str:
        if self.creates:
            return f"  because {self.creates} does not exist"
        if self.stamp:
            return "  because it has not succeeded with what it works on now"
        return f"  because `{' '.join(self.unless)}` says so"

    def _stamp_path(self) -> str:
        return os.path.join(STAMPS, self.title)


def _read(path: str) -> Optional[str]:
    try:
        with open(path, encoding="utf-8") as stream:
            return stream.read()
    except FileNotFoundError:
        return None
