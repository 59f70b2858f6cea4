"""The keys with which Keystone protects its tokens, and what it keeps of others' credentials."""

from __future__ import annotations

import base64
import dataclasses
import os
from typing import ClassVar, Dict, List, Sequence

from installer.agent.host import Host
from installer.resources.base import Actual, Resource, State
from installer.resources.file import write_atomically

#: File of the key that the next rotation makes the primary one.
STAGED = 0
KEY_BYTES = 32


@dataclasses.dataclass(frozen=True)
class KeyRepository(Resource):
    """A folder with a primary key, which has the highest number, and a staged one, 0: what ``fernet_setup`` makes.

    Made here, because the two runs of ``keystone-manage`` take three seconds each to import Keystone. Keys that are
    there are never touched: how often they are rotated is the operator's business. The layout is that of
    keystone/common/fernet_utils.py (29.1.0, 30.0.0), a key that of the Fernet specification: 32 random bytes in base64.

    Args:
        path: the folder; it must exist.
        account: the account, and the group, that the files belong to.
    """

    kind: ClassVar[str] = "key-repository"

    path: str
    account: str

    @property
    def name(self) -> str:
        return self.path

    def expected(self) -> State:
        return {"primary": True, "staged": True}

    @classmethod
    def query(cls, resources: Sequence[KeyRepository], host: Host) -> Dict[str, Actual]:
        return {resource.id: state(numbers(resource.path)) for resource in resources}

    def fix(self, actual: Actual, host: Host) -> None:
        there = numbers(self.path)
        # The primary key first: with the staged one alone, Keystone would take that for the primary one.
        for number, is_missing in ((STAGED + 1, not any(there)), (STAGED, STAGED not in there)):
            if is_missing:
                key = base64.urlsafe_b64encode(os.urandom(KEY_BYTES))
                write_atomically(os.path.join(self.path, str(number)), key, self.account, self.account, 0o600)


def numbers(path: str) -> List[int]:
    """Return the numbers of the keys in a folder; an empty file is none."""
    try:
        names = os.listdir(path)
    except FileNotFoundError:
        return []
    return [int(name) for name in names if name.isdecimal() and os.path.getsize(os.path.join(path, name))]


def state(there: Sequence[int]) -> Actual:
    """Return the state of a repository with keys of these numbers; None: it has none."""
    return {"primary": any(there), "staged": STAGED in there} if there else None
