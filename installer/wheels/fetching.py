"""Fetches what environments are made of, side by side, each file once, and checks it against the lock."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterable, Iterator, Sequence

from installer.errors import ResourceFailed
from installer.wheels import side_by_side
from installer.wheels.choosing import Candidate, choose
from installer.wheels.downloads import NoWay
from installer.wheels.environment import Environment
from installer.wheels.index import Index
from installer.wheels.lock import Pin
from installer.wheels.once import Once
from installer.wheels.store import File, Store, WrongHash
from installer.wheels.target import Target

#: Files that are fetched at a time, and how often one is tried.
AT_ONCE, TRIES = 8, 3
#: Distributions that are asked for to know whether the index can be used, and problems that are told in full.
TRIED, TOLD = 5, 10
#: Seconds between two lines of progress, and until the next try.
TELL, PAUSE = 1.0, 1.0
MIB = 1 << 20

Tell = Callable[[str], None]


class FetchFailed(ResourceFailed):
    """Wheels could not be fetched; every one of them is in the message."""


def fetch(
    environments: Iterable[Environment],
    index: Index,
    store: Store,
    tell: Tell,
    stop: threading.Event | None = None,
) -> dict[str, tuple[File, ...]]:
    """Return the files of each environment by its name; all are in the store then.

    Args:
        environments: what is needed.
        index: where files come from.
        store: where they are kept; what it has is not fetched again.
        tell: is told how far it is.
        stop: once it is set, nothing more is fetched.

    Raises:
        FetchFailed: the index does not answer, lacks something, or has something else than a lock names.
    """
    found = {environment: store.noted(environment.name) for environment in environments}
    # A bundle may have brought the list.
    missing = [one for one, files in found.items() if files is None or not one.is_made_of(files)]
    wanted = list(dict.fromkeys((pin, environment.target) for environment in missing for pin in environment.pins()))
    got = _Fetching(index, store, tell, len(wanted), stop or threading.Event()).all(wanted) if wanted else {}
    for environment in missing:
        files = tuple(dict.fromkeys(got[pin, environment.target] for pin in environment.pins()))
        store.note(environment.name, files)
        found[environment] = files
    return {environment.name: files or () for environment, files in found.items()}


class _Fetching:
    def __init__(self, index: Index, store: Store, tell: Tell, total: int, stop: threading.Event) -> None:
        self._index = index
        self._store = store
        self._tell = tell
        self._total = total
        self._done = 0
        self._sizes: dict[str, int] = {}
        self._told = time.monotonic()
        self._lock = threading.Lock()
        self._kept: Once[str, str] = Once()
        self._stop = stop
        self._hopeless = threading.Event()

    def all(self, wanted: Sequence[tuple[Pin, Target]]) -> dict[tuple[Pin, Target], File]:
        try:
            self._index.check([pin.name for pin, _ in wanted[:TRIED]])
        except NoWay as problem:
            raise _failed([str(problem)]) from None
        problems: list[str] = []
        files: dict[tuple[Pin, Target], File] = {}
        futures = side_by_side.start(lambda item: self._one(*item), wanted, AT_ONCE)
        try:
            for item, future in futures.items():
                try:
                    files[item] = future.result()
                except (NoWay, LookupError, WrongHash) as problem:
                    problems += [str(problem)] if str(problem) else []
        except BaseException:
            # After Ctrl-C nobody waits for all the others.
            self._hopeless.set()
            raise
        if problems or len(files) < len(wanted):
            raise _failed(list(dict.fromkeys(problems)) or ["it was stopped"])
        return files

    def _one(self, pin: Pin, target: Target) -> File:
        if self._is_over():
            raise NoWay
        try:
            chosen = choose(pin, self._index.candidates(pin), target)
            if chosen is None:
                kind = "source distribution" if pin.built else "wheel"
                raise LookupError(f"{pin.text}: {self._index.title} has no {kind} of the lock for {target.title}")
            sha256 = self._kept.get(chosen.url, lambda: self._keep(pin, chosen))
            self._count(sha256)
            return File(chosen.name, sha256)
        except NoWay:
            # Nothing is gained by asking an index that is gone for all the others.
            self._hopeless.set()
            raise

    def _keep(self, pin: Pin, chosen: Candidate) -> str:
        if chosen.sha256 and self._store.has(chosen.sha256):
            return chosen.sha256
        return self._download(chosen, {chosen.sha256} if chosen.sha256 else pin.hashes)

    def _download(self, chosen: Candidate, hashes: Iterable[str]) -> str:
        for attempt in range(1, TRIES + 1):
            try:
                return self._store.add(self._blocks(chosen.url), frozenset(hashes))
            except WrongHash as wrong:
                raise WrongHash(
                    f"{chosen.name}: what came has the sha256 {wrong}, which the lock does not name; it was thrown away"
                ) from None
            except NoWay:
                if attempt == TRIES or self._is_over():
                    raise
                time.sleep(PAUSE * attempt)
        raise AssertionError("unreachable")

    def _blocks(self, url: str) -> Iterator[bytes]:
        for block in self._index.content(url):
            if self._is_over():
                raise NoWay
            yield block

    def _is_over(self) -> bool:
        return self._hopeless.is_set() or self._stop.is_set()

    def _count(self, sha256: str) -> None:
        size = self._store.path(sha256).stat().st_size
        with self._lock:
            self._done += 1
            self._sizes[sha256] = size
            now = time.monotonic()
            if now - self._told < TELL and self._done < self._total:
                return
            self._told = now
            text = f"{self._done} of {self._total} distributions, {sum(self._sizes.values()) / MIB:.0f} MiB"
        self._tell(text)


def _failed(problems: Sequence[str]) -> FetchFailed:
    more = [f"and {len(problems) - TOLD} more"] if len(problems) > TOLD else []
    return FetchFailed(
        "\n".join([*problems[:TOLD], *more]),
        "CONFIG_PACKAGE_INDEX, or this machine's own configuration of uv or pip, says which package index is asked; "
        "then run the same command again: what was fetched is kept",
    )
