"""What several threads want, and only one of them makes."""

from __future__ import annotations

import threading
from collections.abc import Callable, Hashable
from concurrent.futures import Future
from typing import Generic, TypeVar

K = TypeVar("K", bound=Hashable)
V = TypeVar("V")


class Once(Generic[K, V]):
    """Values by key, each made by the first who asks; the others wait, and see its failure, too."""

    def __init__(self) -> None:
        self._values: dict[K, Future[V]] = {}
        self._lock = threading.Lock()

    def get(self, key: K, make: Callable[[], V]) -> V:
        """Return the value of a key.

        Args:
            key: which one.
            make: makes it.
        """
        with self._lock:
            known = self._values.get(key)
            future = known or self._values.setdefault(key, Future())
        if known is None:
            try:
                future.set_result(make())
            except BaseException as problem:
                future.set_exception(problem)
        return future.result()
