"""Questions to the host's own services that may never be answered, such as one of the name service."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor, wait
from typing import Callable, Dict, Mapping, TypeVar

T = TypeVar("T")


def answered_within(seconds: float, questions: Mapping[str, Callable[[], T]]) -> Dict[str, T]:
    """Ask side by side and return the answers that came in time; the others are not waited for.

    Args:
        seconds: how long at most.
        questions: by name.
    """
    pool = ThreadPoolExecutor(max_workers=max(1, len(questions)))
    futures = {name: pool.submit(ask) for name, ask in questions.items()}
    wait(list(futures.values()), timeout=seconds)
    pool.shutdown(wait=False)
    return {name: future.result() for name, future in futures.items() if future.done()}
