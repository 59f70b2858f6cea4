"""Work of many pieces, some of them at a time, by threads that nobody has to wait for."""

from __future__ import annotations

import threading
from collections.abc import Callable, Hashable, Iterable, Iterator, Mapping
from concurrent.futures import Future
from typing import TypeVar

T = TypeVar("T", bound=Hashable)
R = TypeVar("R")


def start(work: Callable[[T], R], items: Iterable[T], at_once: int) -> dict[T, Future[R]]:
    """Begin with all pieces, in order, and return what comes of each; one that is cancelled is not begun with.

    Executors of the standard library make the end of the program wait for a server that has fallen silent.

    Args:
        work: does one piece.
        items: the pieces.
        at_once: how many at a time.
    """
    futures: dict[T, Future[R]] = {item: Future() for item in items}
    waiting, lock = iter(list(futures.items())), threading.Lock()

    def serve() -> None:
        while True:
            with lock:
                item, future = next(waiting, (None, None))
            if item is None or future is None:
                return
            if future.set_running_or_notify_cancel():
                try:
                    future.set_result(work(item))
                except BaseException as problem:
                    future.set_exception(problem)

    for _ in range(min(at_once, len(futures))):
        threading.Thread(target=serve, daemon=True).start()
    return futures


def done(futures: Mapping[T, Future[R]]) -> Iterator[int]:
    """Yield how many pieces are done, in order; after a failure, or Ctrl-C, nobody waits for all the others."""
    try:
        for number, future in enumerate(futures.values(), 1):
            future.result()
            yield number
    finally:
        for future in futures.values():
            future.cancel()
