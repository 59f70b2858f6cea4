"""What a role may ask of a platform: a mapping that says by name what it lacks."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from installer.errors import InternalError
from installer.platforms.tables import Fact


class MissingFact(InternalError):
    """A role asks for a fact that its section of a platform's file does not have.

    Args:
        platform: such as ``el-9``.
        role: the section.
        fact: what was asked for.
    """

    def __init__(self, platform: str, role: str, fact: str) -> None:
        super().__init__(
            f"the platform {platform} has no fact '{fact}' for the role {role}",
            f"add it to the section {role} of the platform's file in installer/platforms/",
        )


class Facts(Mapping[str, Any]):
    """The facts of one role on one platform, by name.

    Args:
        platform: such as ``el-9``.
        role: the section.
        entries: the facts with their origin.
    """

    def __init__(self, platform: str, role: str, entries: Mapping[str, Fact]) -> None:
        self._platform, self._role, self._entries = platform, role, entries

    def __getitem__(self, fact: str) -> Any:
        """Return a fact that every platform of the role must have.

        Raises:
            MissingFact: it has not.
        """
        if fact not in self._entries:
            raise MissingFact(self._platform, self._role, fact)
        return self._entries[fact].value

    def get(self, fact: str, default: Any = None) -> Any:
        """Return a fact that a platform may lack."""
        return self._entries[fact].value if fact in self._entries else default

    def __contains__(self, fact: object) -> bool:
        return fact in self._entries

    def __iter__(self) -> Iterator[str]:
        return iter(self._entries)

    def __len__(self) -> int:
        return len(self._entries)

    def entry(self, fact: str) -> Fact:
        """Return a fact with where it is from and whether it was seen at work.

        Raises:
            MissingFact: there is none.
        """
        if fact not in self._entries:
            raise MissingFact(self._platform, self._role, fact)
        return self._entries[fact]
