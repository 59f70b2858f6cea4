"""A package repository that the distribution brings switched off, such as CRB of Enterprise Linux."""

from __future__ import annotations

import dataclasses
import glob
from typing import ClassVar, Dict, Iterable, Sequence, Tuple

from installer.agent.host import Host
from installer.resources.base import Actual, Resource, State
from installer.resources.texts import ini_files, text_of

FILES = "/etc/yum.repos.d/*.repo"


@dataclasses.dataclass(frozen=True)
class Repository(Resource):
    """A repository that is switched on, and stays so: packages that came from it are upgraded from it, too.

    A host that does not know it at all has its packages from elsewhere, such as a mirror of the site's, or the package
    manager says that they are nowhere.

    Args:
        ids: what it may be called, one of them on each of the family's distributions.
    """

    kind: ClassVar[str] = "repository"

    ids: Tuple[str, ...]

    @property
    def name(self) -> str:
        return self.ids[0]

    def expected(self) -> State:
        return {"state": "on"}

    @classmethod
    def query(cls, resources: Sequence[Repository], host: Host) -> Dict[str, Actual]:
        known = switched(map(text_of, sorted(glob.glob(FILES))))
        return {resource.id: resource._state(known) for resource in resources}

    def _state(self, known: Dict[str, bool]) -> Actual:
        found = [known[name] for name in self.ids if name in known]
        return {"state": "on" if any(found) or not found else "off"}

    def fix(self, actual: Actual, host: Host) -> None:
        known = switched(map(text_of, sorted(glob.glob(FILES))))
        (name, *_) = [name for name in self.ids if name in known]
        host.run(["dnf", "config-manager", "--set-enabled", name])


def switched(texts: Iterable[str]) -> Dict[str, bool]:
    """Return the repositories that files define, and whether each is switched on (see dnf.conf(5): on if not said)."""
    return {
        section: parser.get(section, "enabled", fallback="1").strip().lower() in ("1", "yes", "true", "on")
        for parser in ini_files(texts)
        for section in parser.sections()
        if section != "main"
    }
