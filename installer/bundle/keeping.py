"""Keeps files for a bundle, some at a time, each checked against the sha256 that somebody has told of it."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

from installer.wheels import side_by_side
from installer.wheels.store import Store, WrongHash

#: Files that are fetched at a time.
AT_ONCE = 4


@dataclass(frozen=True)
class Wanted:
    """A file that belongs in a bundle.

    Args:
        what: it in words, with where it comes from.
        sha256: of it.
        who: says that this is its sha256.
        content: yields it block by block; raises NoWay where it cannot be had.
    """

    what: str
    sha256: str
    who: str
    content: Callable[[], Iterator[bytes]]


def keep(files: Sequence[Wanted], store: Store, words: str, tell: Callable[[str], None]) -> None:
    """Fetch files into the store, those that it does not have.

    Args:
        files: the files.
        store: where they are kept.
        words: how far it is, with places for how many are there, and of how many.
        tell: is told that now and then.

    Raises:
        NoWay: one cannot be had.
        WrongHash: what came is something else than was told.
        StoreNotWritable: they cannot be kept.
    """
    futures = side_by_side.start(lambda number: _keep(files[number], store), range(len(files)), AT_ONCE)
    for number in side_by_side.done(futures):
        if number % 20 == 0 or number == len(files):
            tell(words.format(number, len(files)))


def _keep(file: Wanted, store: Store) -> None:
    if store.has(file.sha256):
        return
    try:
        store.add(file.content(), {file.sha256})
    except WrongHash as wrong:
        raise WrongHash(f"{file.what} came with the sha256 {wrong}, and {file.who} says {file.sha256}") from None
