"""The end of what a command says on its standard error, read all the time so that the command never waits for us."""

from __future__ import annotations

import threading
from collections.abc import Callable

LENGTH = 4096


class Tail:
    """Keeps the last 4 KiB of a stream that a thread of its own reads.

    Args:
        read: returns up to n bytes, and nothing at the end.
        name: of the thread.
        watch: called with the text so far whenever there is more.
        at_end: called when the stream has ended.
    """

    def __init__(
        self,
        read: Callable[[int], bytes],
        name: str,
        watch: Callable[[str], None] | None = None,
        at_end: Callable[[], None] | None = None,
    ) -> None:
        self._read = read
        self._kept = b""
        self._watch = watch
        self._at_end = at_end
        self._thread = threading.Thread(target=self._drain, name=name, daemon=True)
        self._thread.start()

    def text(self) -> str:
        """Return what is kept."""
        return self._kept.decode("utf-8", "replace")

    def forget(self) -> None:
        """Drop what is kept, and watch no longer."""
        self._watch = None
        self._kept = b""

    def join(self, timeout: float) -> None:
        """Wait up to ``timeout`` seconds for the end of the stream."""
        self._thread.join(timeout)

    def _drain(self) -> None:
        while data := self._read(1 << 16):
            self._kept = (self._kept + data)[-LENGTH:]
            watch = self._watch
            if watch is not None:
                watch(self.text())
        if self._at_end is not None:
            self._at_end()
