"""Which file of a distribution a host gets. Pure."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from packaging.utils import InvalidWheelFilename, parse_wheel_filename

from installer.wheels.lock import Pin
from installer.wheels.target import Target, ranks

_SOURCE_ENDINGS = (".tar.gz", ".zip")


@dataclass(frozen=True)
class Candidate:
    """A file that an index has.

    Args:
        name: its file name.
        url: where it is.
        sha256: what the index says it is, 64 hex digits; empty if it does not say.
    """

    name: str
    url: str
    sha256: str = ""


def choose(pin: Pin, candidates: Iterable[Candidate], target: Target) -> Candidate | None:
    """Return the best file of a distribution for a target; None if none will do.

    Args:
        pin: what the lock says: a file of another hash will not do.
        candidates: files of that version.
        target: for whom.
    """
    known = [one for one in candidates if not one.sha256 or one.sha256 in pin.hashes]
    if pin.built:
        return next((one for ending in _SOURCE_ENDINGS for one in known if one.name.endswith(ending)), None)
    ranked = [(rank, one) for one in known if (rank := _rank(one.name, target)) is not None]
    return min(ranked, key=lambda pair: (pair[0], pair[1].name))[1] if ranked else None


def _rank(name: str, target: Target) -> int | None:
    try:
        *_, tags = parse_wheel_filename(name)
    except InvalidWheelFilename:
        return None
    table = ranks(target)
    return min((table[tag] for tag in tags if tag in table), default=None)
